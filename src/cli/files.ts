import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import { Effect } from "effect"
import { Misused } from "./exit.ts"

/** Resolves a path against the folder in which it was typed: npm runs scripts in the project's folder, and names the other one. */
export const resolveTyped = (path: string): string => resolve(process.env["INIT_CWD"] ?? process.cwd(), path)

/** The text of a file that the command line names. `what` is what it should hold, for the error. */
export const readTyped = Effect.fn("readTyped")(function* (path: string, what: string) {
  const file = resolveTyped(path)
  return yield* Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: () => new Misused({ message: `${file} cannot be read; it should hold ${what}.` }),
  })
})
