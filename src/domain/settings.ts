import { Config, ConfigProvider, Duration, Effect } from "effect"
import { Misconfigured } from "./error.ts"

// How workers read their variables and secrets, and those settings that mean the same in several workers.

/** Reads settings from a worker's variables and secrets. Fails with what cannot be read. */
export const readSettings = <A>(config: Config.Config<A>, env: object): Effect.Effect<A, Misconfigured> =>
  Effect.mapError(
    config.parse(ConfigProvider.fromUnknown(env)),
    (error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` }),
  )

/** A duration such as `10 seconds`, in milliseconds; at least 1. */
export const millis = (name: string, fallback: Duration.Input): Config.Config<number> =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(1, Duration.toMillis(duration))),
  )

export const wholeNumber = (name: string, fallback: number): Config.Config<number> =>
  Config.Int(name).pipe(Config.withDefault(fallback))

/** What a value must be, and how the operator is told. */
export interface Bounds {
  readonly name: string
  readonly value: number
  readonly minimum: number
  readonly maximum: number
}

/** Fails for the first value that is out of its bounds. */
export const checkBounds = (all: ReadonlyArray<Bounds>): Effect.Effect<void, Misconfigured> => {
  const wrong = all.find(({ value, minimum, maximum }) => value < minimum || value > maximum)
  if (wrong === undefined) return Effect.void
  return Effect.fail(new Misconfigured({ problem: `${wrong.name} must be ${wrong.minimum} to ${wrong.maximum}` }))
}

/** Fails for a run that would be longer than Cloudflare lets a scheduled worker run, which is 15 minutes. */
export const checkTimeLimit = (name: string, ms: number): Effect.Effect<void, Misconfigured> =>
  ms > 14 * 60_000 ? Effect.fail(new Misconfigured({ problem: `${name} must be at most 14 minutes` })) : Effect.void

/** The same for a time that may be nothing: at least 0. */
export const millisOrNone = (name: string, fallback: Duration.Input): Config.Config<number> =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(0, Duration.toMillis(duration))),
  )

/** How long a provider may take for one answer, in milliseconds. */
export const requestTimeoutMs = millis("REQUEST_TIMEOUT", "10 seconds")

/** How long a source whose item count stands still goes without being asked, in milliseconds. */
export const recheckMs = millis("VERIFY_INTERVAL", "24 hours")

/** How many of a source's newest items the first poll delivers. */
export const backfillItems = wholeNumber("BACKFILL_ITEMS", 20)
export const backfillBounds = (value: number): Bounds => ({ name: "BACKFILL_ITEMS", value, minimum: 0, maximum: 50 })
