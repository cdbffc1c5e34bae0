import { Schema } from "effect"
import { Flag } from "effect/cli"

const within = (minimum: number, maximum: number) =>
  Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })

export const rehearsalOptions = {
  users: Flag.Int("users").pipe(
    // Fewer than this, and a tenth of them or a share of 10 % may be nobody.
    Flag.withSchema(Schema.Int.check(within(20, 10_000))),
    Flag.withDescription("People to move (1000 unless told)"),
    Flag.withDefault(1000),
  ),
  faults: Flag.Finite("faults").pipe(
    Flag.withSchema(Schema.Finite.check(within(0, 50))),
    Flag.withDescription("Percentage of the providers' answers that fail while people move (5 unless told)"),
    Flag.withDefault(5),
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withSchema(Schema.Int.check(within(0, 2 ** 31 - 1))),
    Flag.withDescription("Of everything that is drawn at random (1 unless told)"),
    Flag.withDefault(1),
  ),
  subrequests: Flag.Int("subrequests").pipe(
    Flag.withSchema(Schema.Int.check(within(200, 10_000))),
    Flag.withDescription("Subrequests that one invocation of a worker may make (10,000 unless told, as on Cloudflare)"),
    Flag.withDefault(10_000),
  ),
  instanceSubrequests: Flag.Int("instance-subrequests").pipe(
    Flag.withSchema(Schema.Int.check(within(300, 10_000))),
    Flag.withDescription("Subrequests that one instance of a run may make (10,000 unless told, as on Cloudflare)"),
    Flag.withDefault(10_000),
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print the figures as one JSON object on the last line; progress goes to stderr"),
    Flag.withDefault(false),
  ),
}

export interface RehearsalOptions {
  readonly users: number
  /** Percent. */
  readonly faults: number
  readonly seed: number
  /** Of an invocation, and of an instance of a run. */
  readonly subrequests: number
  readonly instanceSubrequests: number
  readonly json: boolean
}
