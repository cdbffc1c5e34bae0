import { Config, ConfigProvider, Duration, Effect } from "effect"
import { Misconfigured } from "./error.ts"

// How workers read their variables and secrets, and those settings that mean the same in several workers.

/** Reads settings from a worker's variables and secrets. Fails with what cannot be read. */
export const readSettings = <A>(config: Config.Config<A>, env: object): Effect.Effect<A, Misconfigured> =>
  Effect.mapError(
    config.parse(ConfigProvider.fromUnknown(env)),
    (error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` }),
  )

/**
 * Makes what is made of a worker's variables and secrets once for all objects of an isolate: reading them costs as much as the rest of an
 * idle poll, and nearly every object starts for one. Bindings are not looked at. A failure is not kept.
 */
export const oncePerIsolate = <A, E>(make: (env: object) => Effect.Effect<A, E>) => {
  let known: { readonly texts: string; readonly made: A } | undefined
  return (env: object): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const texts = JSON.stringify(Object.entries(env).filter(([, value]) => typeof value === "string"))
      if (known?.texts === texts) return Effect.succeed(known.made)
      return Effect.tap(make(env), (made) =>
        Effect.sync(() => {
          known = { texts, made }
        }),
      )
    })
}

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

/** How long a duration may be, and why. */
export interface DurationBounds {
  readonly name: string
  /** Milliseconds. */
  readonly value: number
  readonly minimum: Duration.Input
  readonly maximum: Duration.Input
  /** What goes wrong beyond them, for the operator. */
  readonly because: string
}

/**
 * Whether durations may be out of their bounds, as they are where time is short: in tests and on one's own machine. Never set where
 * pollen is deployed.
 */
export const areBoundsOff = Config.Boolean("UNSAFE_DURATIONS").pipe(Config.withDefault(false))

const told = (duration: Duration.Input) => Duration.format(Duration.fromInputUnsafe(duration))

/** Fails for the first duration that is out of its bounds. `isSimulated`: no provider is there whom short ones could bother. */
export const checkDurations = (
  all: ReadonlyArray<DurationBounds>,
  { isSimulated }: { readonly isSimulated: boolean } = { isSimulated: false },
): Effect.Effect<void, Misconfigured> => {
  const toMillis = (duration: Duration.Input) => Duration.toMillis(Duration.fromInputUnsafe(duration))
  const wrong = all.find(
    ({ value, minimum, maximum }) => (!isSimulated && value < toMillis(minimum)) || value > toMillis(maximum),
  )
  if (wrong === undefined) return Effect.void
  const { name, value, minimum, maximum, because } = wrong
  return Effect.fail(
    new Misconfigured({
      problem: `${name} is ${told(value)} and must be ${told(minimum)} to ${told(maximum)}: ${because}`,
    }),
  )
}

/** Of a run of a scheduled worker. */
export const timeLimitBounds = (name: string, value: number): DurationBounds => ({
  name,
  value,
  minimum: "1 second",
  maximum: "14 minutes",
  because: "Cloudflare ends a scheduled worker after 15 minutes, without a word",
})

/** The same for a time that may be nothing: at least 0. */
export const millisOrNone = (name: string, fallback: Duration.Input): Config.Config<number> =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(0, Duration.toMillis(duration))),
  )

/** How long a provider may take for one answer, in milliseconds. */
export const requestTimeoutMs = millis("REQUEST_TIMEOUT", "10 seconds")

export const requestTimeoutBounds = (value: number): DurationBounds => ({
  name: "REQUEST_TIMEOUT",
  value,
  minimum: "1 second",
  maximum: "29 seconds",
  because: "a refresh must end within half the minute for which D1's side claims an account",
})

/** How long a source whose item count stands still goes without being asked, in milliseconds. */
export const recheckMs = millis("VERIFY_INTERVAL", "24 hours")

export const recheckBounds = (value: number): DurationBounds => ({
  name: "VERIFY_INTERVAL",
  value,
  minimum: "1 hour",
  maximum: "30 days",
  because: "each recheck costs a request for each source, and finds what its count does not tell",
})

/** How many of a source's newest items the first poll delivers. */
export const backfillItems = wholeNumber("BACKFILL_ITEMS", 20)
export const backfillBounds = (value: number): Bounds => ({ name: "BACKFILL_ITEMS", value, minimum: 0, maximum: 50 })
