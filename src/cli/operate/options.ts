import { Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { defaultStateDir } from "../state/keys.ts"

/** A switch that is off unless it is given. */
export const isGiven = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

/** A text that may be left out. */
export const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional, Flag.map(Option.getOrUndefined))

/** A whole number that may be left out. */
export const whole = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(
      Schema.Int.check(Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })),
    ),
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
  )

/** Where the migration worker is, and how its answer is shown. Every command of an operator has these. */
export const operatorOptions = {
  url: text(
    "url",
    "Where the migration worker is; POLLEN_MIGRATION_URL unless given, or else the stack that npm start runs here",
  ),
  credentialFile: text(
    "credential-file",
    "A file with the admin credential; POLLEN_ADMIN_TOKEN unless given, or for this machine's stack the one it made",
  ),
  stateDir: Flag.String("state-dir").pipe(
    Flag.withDescription("Where this machine's stack keeps its keys (.pollen unless told)"),
    Flag.withDefault(defaultStateDir),
  ),
  json: isGiven("json", "Print one JSON object on the last line, for a program; everything else goes to stderr"),
}

export interface OperatorOptions {
  readonly url: string | undefined
  readonly credentialFile: string | undefined
  readonly stateDir: string
  readonly json: boolean
}

export const dryRun = isGiven("dry-run", "Write nothing; show what would happen")

export const yes = isGiven("yes", "Do not ask for confirmation, which there is nobody to give in a script")
