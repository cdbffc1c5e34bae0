import { Effect, Redacted } from "effect"
import type { TokenSet } from "./token.ts"

/** Bytes of a key for fingerprints. */
const keyLength = 32

/** A key for one comparison, as base64: without it a fingerprint tells nothing, and it is never kept. */
export const newFingerprintKey = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(keyLength))))

/**
 * What two sides may show each other to find out whether they have the same tokens, without showing them: HMAC-SHA-256
 * (RFC 2104) under a key made for the comparison, as hexadecimal digits.
 */
export const fingerprint = (
  key: string,
  { accessToken, refreshToken, expiresAt }: Omit<TokenSet, "scope">,
): Effect.Effect<string> =>
  Effect.promise(async () => {
    const bytes = Uint8Array.from(atob(key), (character) => character.charCodeAt(0))
    const hmac = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
    const text = JSON.stringify([Redacted.value(accessToken), Redacted.value(refreshToken), expiresAt])
    const digest = await crypto.subtle.sign("HMAC", hmac, new TextEncoder().encode(text))
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
  })
