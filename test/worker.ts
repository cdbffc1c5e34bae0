import { Clock, Effect, Layer } from "effect"
import { UserSubscriptionManager as Live, type ObjectEnv } from "../src/object/UserSubscriptionManager.ts"

export { CronEntrypoint, GatewayEntrypoint, MigrationEntrypoint, TokensEntrypoint } from "../src/core/entrypoints.ts"

/** How far the objects' clock is ahead of the real one, in milliseconds. Tests share the isolate, and set it. */
export const clock = { aheadMs: 0 }

const live = Clock.Clock.defaultValue()
const nowMillis = () => live.currentTimeMillisUnsafe() + clock.aheadMs
const adjustable: Clock.Clock = {
  currentTimeMillisUnsafe: nowMillis,
  currentTimeMillis: Effect.sync(nowMillis),
  currentTimeNanosUnsafe: () => BigInt(nowMillis()) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(nowMillis()) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: live.monotonicTimeNanos,
  sleep: (duration) => live.sleep(duration),
}

/** The object as it is, on a clock that tests can move. */
export class UserSubscriptionManager extends Live<ObjectEnv> {
  protected override layer(layer: Parameters<Live["layer"]>[0]) {
    return Layer.provideMerge(layer, Layer.succeed(Clock.Clock, adjustable))
  }
}

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler
