import { Effect, Redacted, Schema } from "effect"
import { compactDecrypt, importJWK } from "jose"
import { Failed } from "../exit.ts"
import { readTyped } from "../files.ts"
import { people as count } from "../format.ts"
import { Outcome } from "../operate/Outcome.ts"
import { type Jwk, readKey } from "./key.ts"
import { SealedPerson, writeLines } from "./sealed.ts"

const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(SealedPerson))

/** What every sealed export is encrypted with; a file that claims something else is not one of pollen's. */
const contentEncryption = "A256GCM"

const openPerson = (key: Redacted.Redacted<Jwk>, jwe: string) =>
  Effect.tryPromise(async () => {
    const jwk = Redacted.value(key)
    const secret = await importJWK(jwk, jwk["kty"] === "oct" ? "dir" : "ECDH-ES")
    const { plaintext } = await compactDecrypt(jwe, secret, { contentEncryptionAlgorithms: [contentEncryption] })
    const person: unknown = JSON.parse(new TextDecoder().decode(plaintext))
    return person
  })

/** `pollen open-export`: from one file into another that only its owner reads. What is in it is never shown. */
export const openExport = Effect.fn("openExport")(function* (options: {
  readonly file: string
  readonly to: string
  readonly keyFile: string | undefined
}) {
  const outcome = yield* Outcome
  const key = yield* readKey(options.keyFile)
  const lines = (yield* readTyped(options.file, "an export of pollen")).split("\n").filter((line) => line !== "")
  const { file } = yield* writeLines(options.to, (write) =>
    Effect.forEach(
      lines,
      Effect.fnUntraced(function* (line, index) {
        const at = `line ${index + 1} of ${options.file}`
        const { jwe } = yield* Effect.mapError(
          decodeLine(line),
          () => new Failed({ message: `${at} is not of an export of pollen.` }),
        )
        const person = yield* Effect.mapError(
          openPerson(key, jwe),
          () => new Failed({ message: `${at} does not open with this key.` }),
        )
        yield* write([person])
      }),
      { discard: true },
    ),
  )
  yield* outcome.tell(
    { file, people: lines.length },
    `${count(lines.length)} in ${file}, in the clear: delete it when it has served.`,
  )
})
