import { Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { defaultStateDir } from "../state/keys.ts"

/** A switch that is off unless it is given. */
export const isGiven = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withoutNegation, Flag.withDescription(description), Flag.withDefault(false))

/** An optional text. */
export const text = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional, Flag.map(Option.getOrUndefined))

/** An optional whole number. */
export const whole = (name: string, minimum: number, maximum: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(
      Schema.Int.check(Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })),
    ),
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
  )

/** The options that every operator command has: where the migration worker is, and how its answer is shown. */
export const operatorOptions = {
  url: text(
    "url",
    "URL of the migration worker (default: POLLEN_MIGRATION_URL, then the stack that npm start runs here)",
  ),
  credentialFile: text(
    "credential-file",
    "A file with the admin credential (default: POLLEN_ADMIN_TOKEN, then the one of this machine's stack)",
  ),
  stateDir: Flag.String("state-dir").pipe(
    Flag.withDescription("Folder in which this machine's stack keeps its keys (default: .pollen)"),
    Flag.withDefault(defaultStateDir),
  ),
  json: isGiven("json", "Print one JSON object on stdout, for a program; everything else goes to stderr"),
}

export interface OperatorOptions {
  readonly url: string | undefined
  readonly credentialFile: string | undefined
  readonly stateDir: string
  readonly json: boolean
}

export const dryRun = isGiven("dry-run", "Write nothing; show what would happen")

export const yes = isGiven("yes", "Confirm in advance, as a script must: nothing is asked")
