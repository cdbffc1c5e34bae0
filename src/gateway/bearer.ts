import { Option, Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { UserId } from "../domain/user.ts"

// Needs nothing but WebCrypto, so that the command line and the tests can issue tokens under Node.

/** Shortest signing key accepted, in characters: 32 random characters are beyond guessing. */
export const gatewayKeyMinLength = 32

/** Longest bearer token looked at, in characters: 256 characters of user id at 3 bytes each, a dot and 32 bytes of signature. */
const bearerMaxLength = 1024 + 1 + 43

/** Says what the signature is for, so that it cannot serve as anything else that the key may sign one day. */
const purpose = "pollen:bearer:v1:"

const algorithm = { name: "HMAC", hash: "SHA-256" }
const utf8 = new TextEncoder()
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const decodeUserId = Schema.decodeUnknownOption(UserId)

const importKey = (key: string, usage: "sign" | "verify") =>
  crypto.subtle.importKey("raw", utf8.encode(key), algorithm, false, [usage])

/** Only the one canonical spelling of some bytes is accepted, so that a person has exactly one bearer token per key. */
const decodeCanonical = (part: string): Option.Option<Uint8Array<ArrayBuffer>> =>
  Result.getSuccess(Base64Url.decode(part)).pipe(
    Option.filter((bytes) => Base64Url.encode(bytes) === part),
    Option.map((bytes) => new Uint8Array(bytes)),
  )

/**
 * The bearer token of a person: `base64url(userId).base64url(HMAC-SHA-256(key, "pollen:bearer:v1:" + userId))`.
 * Nothing is stored; the same key and person always give the same token.
 *
 * Rejects with a `RangeError` when `key` has fewer than {@link gatewayKeyMinLength} characters, or `userId` is not well-formed.
 */
export const issueBearer = async (key: string, userId: string): Promise<string> => {
  if (key.length < gatewayKeyMinLength) {
    throw new RangeError(`GATEWAY_KEY must have at least ${gatewayKeyMinLength} characters`)
  }
  if (!userId.isWellFormed()) throw new RangeError("the user id must be well-formed Unicode text")
  const signature = await crypto.subtle.sign(algorithm, await importKey(key, "sign"), utf8.encode(purpose + userId))
  return `${Base64Url.encode(userId)}.${Base64Url.encode(new Uint8Array(signature))}`
}

/** Whose bearer token this is; `None` unless `key` signed it. Signatures are compared in constant time. */
export const verifyBearer = async (key: string, bearer: string): Promise<Option.Option<UserId>> => {
  if (bearer.length > bearerMaxLength) return Option.none()
  const parts = bearer.split(".")
  const [claimed, signature] = parts.map(decodeCanonical)
  if (parts.length !== 2 || claimed === undefined || signature === undefined) return Option.none()
  if (Option.isNone(claimed) || Option.isNone(signature)) return Option.none()
  const signed = new Uint8Array([...utf8.encode(purpose), ...claimed.value])
  const isGenuine = await crypto.subtle.verify(algorithm, await importKey(key, "verify"), signature.value, signed)
  // What pollen signed itself is UTF-8, so decoding cannot throw here.
  return isGenuine ? decodeUserId(strictUtf8.decode(claimed.value)) : Option.none()
}
