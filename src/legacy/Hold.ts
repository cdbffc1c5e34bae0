import { Clock, Context, Effect, Layer, Option } from "effect"
import { RateLimited } from "../domain/error.ts"
import { boundPause, longestPauseMs } from "../domain/pause.ts"
import type { Provider } from "../domain/provider.ts"

/** Longest silence of a provider that a run waits for, in milliseconds. */
const patienceMs = 60_000

/** Rate limits of the run: limits and quotas are the application's, so what a provider told one account holds for all. */
export class Hold extends Context.Service<
  Hold,
  {
    /** Runs a request once its provider may be asked, and again after a rate limit. */
    readonly respecting: <A, E>(
      provider: Provider,
      request: Effect.Effect<A, E | RateLimited>,
    ) => Effect.Effect<A, E | RateLimited>
    /** True when a provider wants more silence than a run waits for. */
    readonly isLong: (provider: Provider) => Effect.Effect<boolean>
    /** Rate limits that are not over. */
    readonly current: Effect.Effect<ReadonlyArray<RateLimited>>
    /** Takes over a rate limit of the run before. */
    readonly recall: (limited: RateLimited) => Effect.Effect<void>
  }
>()("pollen/legacy/Hold") {
  static readonly layer: Layer.Layer<Hold> = Layer.sync(Hold, () => {
    const told = new Map<Provider, RateLimited>()
    const note = (asked: RateLimited, now: number) => {
      const { provider, reason } = asked
      const limited = new RateLimited({ provider, reason, retryAt: boundPause(asked, now, longestPauseMs).until })
      const before = told.get(limited.provider)
      if (before === undefined || before.retryAt < limited.retryAt) told.set(limited.provider, limited)
    }
    const respecting = <A, E>(provider: Provider, request: Effect.Effect<A, E | RateLimited>) =>
      Effect.gen(function* () {
        while (true) {
          const limited = told.get(provider)
          const wait = (limited?.retryAt ?? 0) - (yield* Clock.currentTimeMillis)
          if (limited !== undefined && wait > patienceMs) return yield* Effect.fail(limited)
          if (wait > 0) yield* Effect.sleep(wait)
          const answer = yield* request.pipe(
            Effect.asSome,
            Effect.catchIf(
              (error): error is RateLimited => error instanceof RateLimited,
              (limited) =>
                Effect.map(Clock.currentTimeMillis, (now) => {
                  note(limited, now)
                  return Option.none()
                }),
            ),
          )
          if (answer._tag === "Some") return answer.value
        }
      })
    return {
      respecting,
      isLong: (provider: Provider) =>
        Effect.map(Clock.currentTimeMillis, (now) => (told.get(provider)?.retryAt ?? 0) - now > patienceMs),
      current: Effect.map(Clock.currentTimeMillis, (now) => [...told.values()].filter(({ retryAt }) => retryAt > now)),
      recall: (limited: RateLimited) => Effect.map(Clock.currentTimeMillis, (now) => note(limited, now)),
    }
  })
}
