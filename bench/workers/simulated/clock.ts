import { Clock, Effect } from "effect"

/** How far the clock of objects and hubs is ahead of the real one, in milliseconds. They share this isolate. */
export const ahead = { ms: 0 }

const live = Clock.Clock.defaultValue()
export const nowMillis = () => live.currentTimeMillisUnsafe() + ahead.ms

/** The clock of a simulation: days pass as fast as there is nothing to do. A sleep is as long as it is. */
export const simulatedClock: Clock.Clock = {
  currentTimeMillisUnsafe: nowMillis,
  currentTimeMillis: Effect.sync(nowMillis),
  currentTimeNanosUnsafe: () => BigInt(nowMillis()) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(nowMillis()) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: live.monotonicTimeNanos,
  sleep: (duration) => live.sleep(duration),
}
