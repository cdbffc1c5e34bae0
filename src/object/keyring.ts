import { Effect, Redacted, Result } from "effect"
import { Base64 } from "effect/encoding"
import { Misconfigured } from "../domain/error.ts"

/** The keys that seal tokens. New seals use `newestId`; the others open what was sealed before. */
export interface KeyRing {
  readonly newestId: string
  readonly keys: ReadonlyMap<string, CryptoKey>
}

const howTo =
  'Set it to "k1:" followed by the output of `openssl rand -base64 32`; to rotate, put a new key in front: "k2:…,k1:…"'

const problem = (what: string) => new Misconfigured({ problem: `TOKEN_KEYS ${what}. ${howTo}` })

/** Reads `TOKEN_KEYS`: `id:base64` of 32 bytes each, newest first, separated by commas. Errors never repeat the value. */
export const parseKeyRing = Effect.fnUntraced(function* (text: Redacted.Redacted<string>) {
  const entries = Redacted.value(text)
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
  if (entries.length === 0) return yield* problem("is missing")
  const keys = new Map<string, CryptoKey>()
  for (const [index, entry] of entries.entries()) {
    const [id = "", encoded, ...rest] = entry.split(":")
    // Entries are named by their place: what stands where an id belongs may be a key.
    const place = `entry ${index + 1}`
    if (encoded === undefined || rest.length > 0 || !/^[\w.-]{1,32}$/.test(id)) {
      return yield* problem(`has no key id of 1 to 32 letters, digits, ".", "_" or "-", then ":", at ${place}`)
    }
    if (keys.has(id)) return yield* problem(`names at ${place} a key that it has named before`)
    const bytes = Base64.decode(encoded)
    if (Result.isFailure(bytes) || bytes.success.length !== 32) {
      return yield* problem(`has at ${place} a key that is not base64 of 32 bytes`)
    }
    const key = yield* Effect.promise(() =>
      crypto.subtle.importKey("raw", new Uint8Array(bytes.success), { name: "AES-GCM" }, false, ["encrypt", "decrypt"]),
    )
    keys.set(id, key)
  }
  const [newestId = ""] = keys.keys()
  return { newestId, keys } satisfies KeyRing
})
