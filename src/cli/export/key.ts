import { Effect, Redacted, Schema } from "effect"
import { Recipient } from "../../migration/api/people.ts"
import { Misused } from "../exit.ts"
import { readTyped } from "../files.ts"
import { text } from "../operate/options.ts"

/** Bytes of a symmetric key. */
const keyLength = 32

export const keyOption = text(
  "key-file",
  "A file with the key: 32 random bytes as base64, or a JSON Web Key, which may be public for an export (default: the variable POLLEN_EXPORT_KEY)",
)

const decodeJwk = Schema.decodeUnknownEffect(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))
const decodeRecipient = Schema.decodeUnknownEffect(Recipient)

/** A JSON Web Key (RFC 7517). A private one has `d`. */
export type Jwk = Readonly<Record<string, unknown>>

const readText = (file: string | undefined) => {
  const given = file === undefined ? process.env["POLLEN_EXPORT_KEY"]?.trim() : undefined
  if (given) return Effect.succeed(given)
  return file === undefined
    ? new Misused({
        message:
          "An export is encrypted: give --key-file or POLLEN_EXPORT_KEY. `openssl rand -base64 32 > export.key` makes a key; keep it.",
      })
    : Effect.map(readTyped(file, "the key of the export"), (content) => content.trim())
}

/** Reads the key. Errors do not repeat it. */
export const readKey = Effect.fn("readKey")(function* (file: string | undefined) {
  const given = yield* readText(file)
  const refuse = new Misused({
    message: `${file ?? "POLLEN_EXPORT_KEY"} must hold ${keyLength} bytes as base64 (openssl rand -base64 32), or a JSON Web Key on P-256, P-384, P-521 or X25519.`,
  })
  if (given.startsWith("{")) return Redacted.make<Jwk>(yield* Effect.mapError(decodeJwk(given), () => refuse))
  const bytes = Buffer.from(given, "base64")
  if (bytes.length !== keyLength) return yield* refuse
  return Redacted.make<Jwk>({ kty: "oct", k: bytes.toString("base64url") })
})

/** The part of a key that the worker gets: never the private one. */
export const toRecipient = (key: Redacted.Redacted<Jwk>) =>
  Effect.mapError(
    decodeRecipient(Redacted.value(key)),
    () =>
      new Misused({ message: "This key cannot encrypt an export: kty must be oct, EC or OKP, with its public part." }),
  )
