import { readFile } from "node:fs/promises"
import { parseEnv } from "node:util"
import { Effect, Predicate } from "effect"
import { CannotStart } from "../../src/cli/state/error.ts"

const providers = ["spotify", "youtube"] as const
export type LiveProvider = (typeof providers)[number]

/** The client ids of at least one provider, and whatever else the file sets. */
export interface LiveSettings {
  readonly providers: ReadonlyArray<LiveProvider>
  readonly secrets: Readonly<Record<string, string>>
}

const namesOf = (provider: LiveProvider) =>
  ["CLIENT_ID", "CLIENT_SECRET"].map((name) => `${provider.toUpperCase()}_${name}`)

/** Lines that the file lacks, or has without a value: of a provider that has one of two, or of both where neither has any. */
const missingNames = (secrets: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const missing = providers.map((provider) => namesOf(provider).filter((name) => secrets[name] === undefined))
  if (missing.every(({ length }) => length === 2)) return missing.flat()
  return missing.filter(({ length }) => length === 1).flat()
}

/** Reads the client ids in `file`: of both providers or of one. Fails with the very lines that are missing. */
export const readLiveSettings = Effect.fnUntraced(function* (
  file: string,
): Effect.fn.Return<LiveSettings, CannotStart> {
  // Without a file every line is missing; one that cannot be read is another matter.
  const text = yield* Effect.tryPromise({ try: () => readFile(file, "utf8"), catch: (error) => error }).pipe(
    Effect.catch((error) =>
      Predicate.hasProperty(error, "code") && error.code === "ENOENT"
        ? Effect.succeed("")
        : new CannotStart({ message: `${file} cannot be read: give yourself the right to, and start again.` }),
    ),
  )
  const secrets = Object.fromEntries(
    Object.entries(parseEnv(text)).flatMap(([name, value = ""]) => (value.trim() === "" ? [] : [[name, value.trim()]])),
  )
  const missing = missingNames(secrets)
  if (missing.length === 0) {
    return { secrets, providers: providers.filter((one) => namesOf(one).every((name) => secrets[name] !== undefined)) }
  }
  return yield* new CannotStart({
    message: [
      `For --live, ${file} must have these lines, each with its value (.dev.vars.example says where to get them); one provider is enough:`,
      ...missing.map((name) => `${name}=`),
    ].join("\n"),
  })
})
