import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { parseEnv } from "node:util"
import { Effect } from "effect"
import { CannotStart } from "./error.ts"
import { root } from "./LocalStack.ts"

const needed = ["SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "YOUTUBE_CLIENT_ID", "YOUTUBE_CLIENT_SECRET"] as const

/** Lines that the text of a `.dev.vars` lacks, or has without a value. */
export const missingLines = (text: string): ReadonlyArray<string> => {
  const values = parseEnv(text)
  return needed.filter((name) => (values[name] ?? "").trim() === "")
}

/** Where the client ids are. Fails with the very lines that are missing. */
export const liveSettings = Effect.gen(function* () {
  const file = join(root, ".dev.vars")
  const text = yield* Effect.promise(() => readFile(file, "utf8").catch(() => ""))
  const missing = missingLines(text)
  if (missing.length === 0) return file
  return yield* new CannotStart({
    message: [
      "For --live, .dev.vars must have these lines, each with its value (.dev.vars.example says where to get them):",
      ...missing.map((name) => `${name}=`),
    ].join("\n"),
  })
})
