import { createWriteStream, type WriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { finished } from "node:stream/promises"
import { Effect, Schema } from "effect"
import { Failed, Misused } from "../exit.ts"
import { resolveTyped } from "../files.ts"

/** One person of an export: a line of its file. Only the operator's key opens `jwe` (RFC 7516, compact). */
export const SealedPerson = Schema.Struct({ userId: Schema.String, jwe: Schema.String })

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "for an unknown reason"

const cannotBeWritten = (file: string) => (error: unknown) =>
  new Failed({ message: `${file} cannot be written (${codeOf(error)}).` })

/** The command line names a file that cannot be made. */
const cannotBeMade = (file: string) => (error: unknown) =>
  new Misused({
    message:
      codeOf(error) === "EEXIST"
        ? `${file} exists already: name another file.`
        : `${file} cannot be written (${codeOf(error)}): name another file.`,
  })

/** The name of a file to write. Refuses `-`: a file is written whole or not at all, which stdout cannot be. */
export const requireFile = (typed: string) =>
  typed === "-"
    ? Effect.fail(new Misused({ message: "--to takes the name of a new file; stdout (-) is not supported." }))
    : Effect.succeed(typed)

const open = (file: string): Promise<WriteStream> =>
  new Promise((resolve, reject) => {
    const stream = createWriteStream(file, { flags: "wx", mode: 0o600 })
    stream.once("open", () => resolve(stream))
    stream.once("error", reject)
  })

/**
 * Writes lines of JSON to a new file that only its owner reads. The file gets its name when it is complete, and replaces no other.
 */
export const writeLines = Effect.fn("writeLines")(function* <A, E, R>(
  typed: string,
  fill: (write: (lines: ReadonlyArray<unknown>) => Effect.Effect<void, Failed>) => Effect.Effect<A, E, R>,
) {
  const file = resolveTyped(typed)
  const part = `${file}.part`
  yield* Effect.tryPromise({
    try: () =>
      open(file)
        .then((stream) => finished(stream.end()))
        .then(() => rm(file)),
    catch: cannotBeMade(file),
  })
  const stream = yield* Effect.tryPromise({ try: () => open(part), catch: cannotBeMade(part) })
  const write = (lines: ReadonlyArray<unknown>) =>
    Effect.tryPromise({
      try: () =>
        new Promise<void>((resolve, reject) => {
          stream.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), (error) =>
            error ? reject(error) : resolve(),
          )
        }),
      catch: cannotBeWritten(part),
    })
  const close = Effect.tryPromise({ try: () => finished(stream.end()), catch: cannotBeWritten(part) })
  const result = yield* Effect.onError(fill(write), () =>
    Effect.andThen(
      Effect.ignore(close),
      Effect.promise(() => rm(part, { force: true })),
    ),
  )
  yield* close
  yield* Effect.tryPromise({ try: () => rename(part, file), catch: cannotBeWritten(file) })
  return { file, result }
})
