import { readFile } from "node:fs/promises"
import { parseEnv } from "node:util"
import { Effect, Predicate } from "effect"
import { CannotStart } from "../../src/cli/state/error.ts"

const needed = ["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "YOUTUBE_CLIENT_ID", "YOUTUBE_CLIENT_SECRET"] as const

/** Lines that the text of a `.dev.vars` lacks, or has without a value. */
const missingLines = (text: string): ReadonlyArray<string> => {
  const values = parseEnv(text)
  return needed.filter((name) => (values[name] ?? "").trim() === "")
}

/** Checks that the client ids are in `file` and returns it. Fails with the very lines that are missing. */
export const liveSettings = Effect.fnUntraced(function* (file: string) {
  // Without a file every line is missing; one that cannot be read is another matter.
  const text = yield* Effect.tryPromise({ try: () => readFile(file, "utf8"), catch: (error) => error }).pipe(
    Effect.catch((error) =>
      Predicate.hasProperty(error, "code") && error.code === "ENOENT"
        ? Effect.succeed("")
        : new CannotStart({ message: `${file} cannot be read: give yourself the right to, and start again.` }),
    ),
  )
  const missing = missingLines(text)
  if (missing.length === 0) return file
  return yield* new CannotStart({
    message: [
      `For --live, ${file} must have these lines, each with its value (.dev.vars.example says where to get them):`,
      ...missing.map((name) => `${name}=`),
    ].join("\n"),
  })
})
