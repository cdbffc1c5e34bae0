import { Effect, Redacted, Schema } from "effect"
import { Base64, Hex } from "effect/encoding"
import type { TokenSet } from "./token.ts"

/** Bytes of a key for fingerprints. */
const keyLength = 32

/** A key as {@link newFingerprintKey} makes it: 32 bytes as base64. */
export const FingerprintKey = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, { message: "must be 32 bytes as base64" })),
)

/** A key for one comparison, as base64: without it a fingerprint tells nothing, and it is never kept. */
export const newFingerprintKey = (): string => Base64.encode(crypto.getRandomValues(new Uint8Array(keyLength)))

/**
 * What two sides may show each other to find out whether they have the same tokens, without showing them: HMAC-SHA-256
 * (RFC 2104) under a key made for the comparison, as hexadecimal digits.
 */
export const fingerprint = Effect.fnUntraced(function* (
  key: string,
  { accessToken, refreshToken, expiresAt }: Omit<TokenSet, "scope">,
) {
  const bytes = yield* Effect.orDie(Effect.fromResult(Base64.decode(key)))
  const text = JSON.stringify([Redacted.value(accessToken), Redacted.value(refreshToken), expiresAt])
  return yield* Effect.promise(async () => {
    const raw = new Uint8Array(bytes)
    const hmac = await crypto.subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
    return Hex.encode(new Uint8Array(await crypto.subtle.sign("HMAC", hmac, new TextEncoder().encode(text))))
  })
})
