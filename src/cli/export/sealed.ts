import { createWriteStream, type WriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { finished } from "node:stream/promises"
import { Effect, Schema } from "effect"
import { Failed } from "../exit.ts"
import { resolveTyped } from "../files.ts"

/** One person of an export: a line of its file. `jwe` opens with the operator's key alone (RFC 7516, compact). */
export const SealedPerson = Schema.Struct({ userId: Schema.String, jwe: Schema.String })

const refuse = (file: string) => (error: unknown) => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  const why =
    code === "EEXIST" ? "is there already: name another" : `cannot be written (${code || "for an unknown reason"})`
  return new Failed({ message: `${file} ${why}.` })
}

const open = (file: string): Promise<WriteStream> =>
  new Promise((resolve, reject) => {
    const stream = createWriteStream(file, { flags: "wx", mode: 0o600 })
    stream.once("open", () => resolve(stream))
    stream.once("error", reject)
  })

/**
 * A new file that only its owner reads, under its own name once all of it is there; never over another. Lines are JSON.
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
    catch: refuse(file),
  })
  const stream = yield* Effect.tryPromise({ try: () => open(part), catch: refuse(part) })
  const write = (lines: ReadonlyArray<unknown>) =>
    Effect.tryPromise({
      try: () =>
        new Promise<void>((resolve, reject) => {
          stream.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), (error) =>
            error ? reject(error) : resolve(),
          )
        }),
      catch: refuse(part),
    })
  const close = Effect.tryPromise({ try: () => finished(stream.end()), catch: refuse(part) })
  const result = yield* Effect.onError(fill(write), () =>
    Effect.andThen(
      Effect.ignore(close),
      Effect.promise(() => rm(part, { force: true })),
    ),
  )
  yield* close
  yield* Effect.tryPromise({ try: () => rename(part, file), catch: refuse(file) })
  return { file, result }
})
