import { Effect, Redacted } from "effect"
import { CompactEncrypt, importJWK, type JWK } from "jose"
import type { Recipient } from "../api/people.ts"

/** Length of a symmetric key for A256GCM, in bytes. */
const symmetricLength = 32

export type Encrypt = (content: object) => Effect.Effect<string>

/** The key agreement (RFC 7518): with the recipient's public key, or directly with a symmetric key that both have. */
const algorithmOf = ({ kty }: Recipient) => (kty === "oct" ? "dir" : "ECDH-ES")

const toJwk = ({ k, d: _never, ...jwk }: Recipient): JWK =>
  Object.fromEntries(
    Object.entries({ ...jwk, k: k === undefined ? undefined : Redacted.value(k) }).filter(
      ([, value]) => value !== undefined,
    ),
  )

/** Returns a function that encrypts to a recipient (JWE, RFC 7516, A256GCM). Fails with a description for a key that cannot be used. */
export const encryptTo = Effect.fn("encryptTo")(function* (recipient: Recipient) {
  const alg = algorithmOf(recipient)
  const key = yield* Effect.tryPromise({
    try: () => importJWK(toJwk(recipient), alg),
    catch: () => "is not a key that can be used: P-256, P-384, P-521, X25519 or 32 symmetric bytes",
  })
  if (alg === "dir" && !(key instanceof Uint8Array && key.length === symmetricLength)) {
    return yield* Effect.fail(`must have ${symmetricLength} bytes`)
  }
  const header = { alg, enc: "A256GCM", cty: "json", ...(recipient.kid === undefined ? {} : { kid: recipient.kid }) }
  const encrypt: Encrypt = (content) =>
    Effect.promise(() =>
      new CompactEncrypt(new TextEncoder().encode(JSON.stringify(content))).setProtectedHeader(header).encrypt(key),
    )
  // The key is tried at once: one that cannot encrypt is a mistake in the request, not a failure of the first person exported.
  yield* Effect.catchDefect(encrypt({}), () => Effect.fail("is not a key that can be used to encrypt"))
  return encrypt
})
