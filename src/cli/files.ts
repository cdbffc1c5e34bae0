import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { Effect } from "effect"
import { Failed } from "./exit.ts"

/** A path that somebody typed, from where they typed it: npm runs its scripts in the project's folder and tells the other. */
export const resolveTyped = (path: string): string => resolve(process.env["INIT_CWD"] ?? process.cwd(), path)

/** The text of a file that somebody named. `what` it should hold is said when it cannot be read. */
export const readTyped = Effect.fn("readTyped")(function* (path: string, what: string) {
  const file = resolveTyped(path)
  return yield* Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => new Failed({ message: `${file} cannot be read; it should hold ${what}.` }),
  })
})
