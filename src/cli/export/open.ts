import { Effect, Redacted, Schema } from "effect"
import { compactDecrypt, importJWK } from "jose"
import { Failed, Misused } from "../exit.ts"
import { readTyped } from "../files.ts"
import { people as count } from "../format.ts"
import { Outcome } from "../operate/Outcome.ts"
import { type Jwk, readKey } from "./key.ts"
import { requireFile, SealedPerson, writeLines } from "./sealed.ts"

const decodeLine = Schema.decodeUnknownEffect(Schema.fromJsonString(SealedPerson))

/** The encryption of every sealed export; a file that claims another is none of pollen's. */
const contentEncryption = "A256GCM"

const openPerson = (key: Redacted.Redacted<Jwk>, jwe: string) =>
  Effect.tryPromise(async () => {
    const jwk = Redacted.value(key)
    const secret = await importJWK(jwk, jwk["kty"] === "oct" ? "dir" : "ECDH-ES")
    const { plaintext } = await compactDecrypt(jwe, secret, { contentEncryptionAlgorithms: [contentEncryption] })
    const person: unknown = JSON.parse(new TextDecoder().decode(plaintext))
    return person
  })

/** `pollen open-export`: decrypts one file into another that only its owner reads. Prints nothing of it. */
export const openExport = Effect.fn("openExport")(function* (options: {
  readonly file: string
  readonly to: string
  readonly keyFile: string | undefined
}) {
  const outcome = yield* Outcome
  const to = yield* requireFile(options.to)
  const key = yield* readKey(options.keyFile)
  const lines = (yield* readTyped(options.file, "an export")).split("\n").filter((line) => line !== "")
  const { file } = yield* writeLines(to, (write) =>
    Effect.forEach(
      lines,
      Effect.fnUntraced(function* (line, index) {
        const at = `line ${index + 1} of ${options.file}`
        const { jwe } = yield* Effect.mapError(
          decodeLine(line),
          () => new Misused({ message: `${at} is not a line of an export.` }),
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
    `${count(lines.length)} in ${file}, in plain text: delete the file after use.`,
  )
})
