import { Schema } from "effect"
import { Flag } from "effect/cli"
import { defaultStateDir } from "../../src/cli/state/keys.ts"

const within = (minimum: number, maximum: number) =>
  Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })

const count = (name: string, fallback: number, minimum: number, maximum: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withSchema(Schema.Int.check(within(minimum, maximum))),
    Flag.withDescription(`${description} (${fallback} unless told)`),
    Flag.withDefault(fallback),
  )

const flag = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

export const startOptions = {
  users: count("users", 25, 1, 1000, "People"),
  shows: count("shows", 20, 0, 500, "Spotify shows that each of them follows"),
  channels: count("channels", 20, 0, 500, "YouTube channels that each of them follows"),
  publish: count("publish", 200, 0, 10_000, "New items that are published once everybody is there"),
  faults: Flag.Finite("faults").pipe(
    Flag.withSchema(Schema.Finite.check(within(0, 50))),
    Flag.withDescription("Percentage of the providers' answers that fail while items are published (5 unless told)"),
    Flag.withDefault(5),
  ),
  port: count("port", 8787, 0, 65_535, "Port of the gateway on this machine; 0 takes any that is free"),
  legacy: count("legacy", 0, 0, 500, "People whose tokens D1 holds, polled by the legacy poller: to try the move"), // legacy
  once: flag("once", "Exit after the table; the exit code is 1 if anything was lost or doubled"),
  json: flag("json", "Print the table as one JSON object on the last line; progress goes to stderr"),
  live: flag("live", "Talk to the real providers, with the client ids in .dev.vars"),
  devVars: Flag.String("dev-vars").pipe(
    Flag.withDescription("The file with the client ids for --live (.dev.vars unless told)"),
    Flag.withDefault(".dev.vars"),
  ),
  stateDir: Flag.String("state-dir").pipe(
    Flag.withDescription("Where this machine's keys are kept, and with --live the database (.pollen unless told)"),
    Flag.withDefault(defaultStateDir),
  ),
}

export interface StartOptions {
  readonly users: number
  readonly shows: number
  readonly channels: number
  readonly publish: number
  /** Percent. */
  readonly faults: number
  readonly port: number
  readonly legacy: number // legacy
  readonly once: boolean
  readonly json: boolean
  readonly live: boolean
  readonly devVars: string
  readonly stateDir: string
}
