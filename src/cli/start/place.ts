import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Effect, Option, Schema } from "effect"

/** Where the stack that runs on this machine is, for commands in another terminal. */
const LocalPlace = Schema.Struct({ migrationUrl: Schema.String })

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(LocalPlace))
const fileOf = (stateDir: string): string => join(stateDir, "place.json")

/** The URL of the migration worker of this machine's stack, or `undefined` while none runs. */
export const readLocalPlace = (stateDir: string): Effect.Effect<string | undefined> =>
  Effect.map(
    Effect.promise(() => readFile(fileOf(stateDir), "utf8").catch(() => "")),
    (text) => Option.getOrUndefined(decode(text))?.migrationUrl,
  )
