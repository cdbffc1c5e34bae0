import { Data, Effect, Result } from "effect"
import { Base64 } from "effect/encoding"
import { InvalidRequest } from "../../domain/error.ts"
import type { DecryptorName } from "../api/mapping.ts"

/** A token that does not decrypt. Says nothing of the token. */
class Undecryptable extends Data.TaggedError("Undecryptable")<{ readonly detail: string }> {}

/** Turns what an old system stored into a token. */
export type Decrypt = (stored: string) => Effect.Effect<string, Undecryptable>

type Bytes = Uint8Array<ArrayBuffer>

const decode = (text: string): Bytes | undefined => {
  const bytes = Base64.decode(text)
  return Result.isSuccess(bytes) ? new Uint8Array(bytes.success) : undefined
}

const nonceLength = 12
const tagLength = 16
const keyLength = 32

/** AES-256-GCM (NIST SP 800-38D): base64 of a nonce of 12 bytes, the ciphertext, and the tag of 16 bytes, in this order. */
const aes256Gcm = (key: Bytes): Decrypt => {
  const imported = Effect.promise(() => crypto.subtle.importKey("raw", key, { name: "AES-GCM" }, false, ["decrypt"]))
  return Effect.fnUntraced(function* (stored) {
    const sealed = decode(stored)
    if (sealed === undefined || sealed.length <= nonceLength + tagLength) {
      return yield* new Undecryptable({ detail: "is not base64 of a nonce, a ciphertext and a tag" })
    }
    const iv = sealed.slice(0, nonceLength)
    const opened = yield* Effect.flatMap(imported, (aes) =>
      Effect.tryPromise({
        try: () => crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, sealed.slice(nonceLength)),
        catch: () => new Undecryptable({ detail: "does not open with OLD_TOKEN_KEY" }),
      }),
    )
    return new TextDecoder().decode(opened)
  })
}

/** How old systems encrypted, by the name that a mapping says. Another system's is one more name, and one more line here. */
const decryptors: { readonly [Name in DecryptorName]: (key: Bytes) => Decrypt } = { "aes-256-gcm": aes256Gcm }

/** The decryptor of a mapping, with the key of the migration worker's secret. */
export const decryptorNamed = (
  name: DecryptorName,
  secret: string | undefined,
): Effect.Effect<Decrypt, InvalidRequest> => {
  const key = secret === undefined ? undefined : decode(secret.trim())
  if (key?.length === keyLength) return Effect.succeed(decryptors[name](key))
  const message = "needs the secret OLD_TOKEN_KEY of the migration worker: the old system's key of 32 bytes, as base64"
  return Effect.fail(new InvalidRequest({ method: "table", issues: [{ path: "mapping.decryptor", message }] }))
}
