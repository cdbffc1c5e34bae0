import { Context, Effect, Layer, type Redacted, Semaphore } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { Access } from "../object/polling/Access.ts"
import { Store } from "../object/Store.ts"
import * as statements from "./statements.ts"

/** The provider whose sources hubs look after. */
export const provider = "youtube" satisfies Provider

/** The hub itself: its name, and how far it is. One thing at a time is done in it, so that two looks never find the same item. */
export class Hub extends Context.Service<
  Hub,
  {
    readonly name: string
    readonly read: () => statements.Self | undefined
    readonly alone: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  }
>()("pollen/hub/Hub") {
  static readonly layer = (name: string) =>
    Layer.effect(
      Hub,
      Effect.gen(function* () {
        const { rows } = yield* Store
        const semaphore = yield* Semaphore.make(1)
        return {
          name,
          read: () => rows<statements.Self>(statements.selectSelf)[0],
          alone: (effect) => semaphore.withPermit(effect),
        }
      }),
    )
}

/** Asks with the application's own API key, unless the API has asked for a pause. What it asks for is remembered. */
export const keyedAccess = (apiKey: Redacted.Redacted<string>): Layer.Layer<Access, never, Store | Hub> =>
  Layer.effect(
    Access,
    Effect.gen(function* () {
      const { exec } = yield* Store
      const hub = yield* Hub
      const refused = new ProviderUnavailable({ provider, reason: "YOUTUBE_API_KEY does not work", retryAt: null })
      return {
        withToken: (of, use) =>
          Effect.flatMap(
            Effect.clockWith(({ currentTimeMillis }) => currentTimeMillis),
            (now) => {
              const until = hub.read()?.apiLimitedUntil ?? 0
              if (until > now) {
                return Effect.fail(new RateLimited({ provider: of, reason: "quota_exceeded", retryAt: until }))
              }
              return use(apiKey).pipe(
                Effect.tapError((error) =>
                  Effect.sync(() => {
                    if (error instanceof RateLimited) exec(statements.limitApi, error.retryAt)
                  }),
                ),
                Effect.catchTag("AccessTokenRejected", () => Effect.fail(refused)),
              )
            },
          ),
      }
    }),
  )
