import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Option, Schema } from "effect"
import { toCannotStart } from "./error.ts"

/** Where the stack that runs on this machine is, for commands in another terminal. */
const LocalEndpoint = Schema.Struct({ migrationUrl: Schema.String })

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(LocalEndpoint))
const fileOf = (stateDir: string): string => join(stateDir, "place.json")

/** The URL of the migration worker of this machine's stack, or `undefined` while none runs. */
export const readLocalEndpoint = (stateDir: string): Effect.Effect<string | undefined> =>
  Effect.map(
    Effect.promise(() => readFile(fileOf(stateDir), "utf8").catch(() => "")),
    (text) => Option.getOrUndefined(decode(text))?.migrationUrl,
  )

/** Says where the migration worker is, for as long as the scope lasts. */
export const announceLocalEndpoint = (stateDir: string, migrationUrl: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => writeFile(fileOf(stateDir), `${JSON.stringify({ migrationUrl })}\n`, { mode: 0o600 }),
      catch: toCannotStart(stateDir),
    }),
    // Another stack may have said something else since.
    () =>
      Effect.flatMap(readLocalEndpoint(stateDir), (current) =>
        current === migrationUrl ? Effect.promise(() => rm(fileOf(stateDir), { force: true })) : Effect.void,
      ),
  )
