import { Context, Effect, Predicate } from "effect"
import { DatabaseUnavailable } from "./error.ts"
import { countingSubrequest } from "./subrequests.ts"

/** D1's reason, without the statement and parameters that drizzle puts around it. */
const reasonOf = (thrown: unknown): string =>
  Predicate.hasProperty(thrown, "cause") && thrown.cause instanceof Error
    ? reasonOf(thrown.cause)
    : thrown instanceof Error
      ? thrown.message
      : "unknown"

export const toDatabaseUnavailable =
  (operation: string) =>
  (thrown: unknown): DatabaseUnavailable =>
    new DatabaseUnavailable({ operation, reason: reasonOf(thrown) })

/**
 * How long D1 may take for one answer, in milliseconds. D1 ends a query after 30 s by itself
 * (https://developers.cloudflare.com/d1/platform/limits/), but has stalled for more than a minute because of its neighbours.
 */
export const DatabaseTimeout = Context.Reference<number>("pollen/DatabaseTimeout", { defaultValue: () => 20_000 })

/**
 * Asks D1 and waits for the answer, for as long as {@link DatabaseTimeout} says. D1 cannot be told to stop: what was asked may still
 * take effect after a failure.
 */
export const askDatabase = <A>(operation: string, ask: () => PromiseLike<A>): Effect.Effect<A, DatabaseUnavailable> =>
  Effect.flatMap(DatabaseTimeout, (timeoutMs) =>
    Effect.timeoutOrElse(countingSubrequest(Effect.tryPromise({ try: ask, catch: toDatabaseUnavailable(operation) })), {
      duration: timeoutMs,
      orElse: () =>
        Effect.fail(new DatabaseUnavailable({ operation, reason: `no answer within ${timeoutMs / 1000} s` })),
    }),
  )
