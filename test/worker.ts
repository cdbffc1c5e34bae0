import { Clock, Duration, Effect, Layer } from "effect"
import { ProviderBudget as LiveBudget } from "../src/budget/ProviderBudget.ts"
import { FeedRowsAtOnce } from "../src/hub/delivery.ts"
import { type HubEnv, SourceHub as LiveHub } from "../src/hub/SourceHub.ts"
import { UserSubscriptionManager as Live, type ObjectEnv } from "../src/object/UserSubscriptionManager.ts"
import type { BudgetNamespace } from "../src/rpc/budget.ts"
import { asInvocations } from "./campaign/invocation.ts"

export { CronEntrypoint, GatewayEntrypoint, MigrationEntrypoint, TokensEntrypoint } from "../src/core/entrypoints.ts"

/**
 * How far the objects' clock is ahead of the real one, in milliseconds. Tests share the isolate, and set it. `briefMs`: who sleeps no
 * longer than that does not wait, and the clock goes on instead.
 */
export const clock = { aheadMs: 0, briefMs: 0 }

/** Time passes without anybody's waiting for it. */
export const passTime = (ms: number): Effect.Effect<void> =>
  Effect.sync(() => {
    clock.aheadMs += Math.ceil(ms)
  })

/** Settings that objects have besides those of the environment, from their next start on. Tests set them. */
export const settings: {
  REQUEST_TIMEOUT?: string
  DATABASE_TIMEOUT?: string
  SPOTIFY_CLIENTS?: string
  SPOTIFY_CLIENT_SECRETS?: string
  /** With one, hubs look after channels. */
  YOUTUBE_API_KEY?: string
  SOURCE_HUBS?: string
  /** With one, hubs ask for pushes. */
  PUBLIC_URL?: string
} = {}

/** Whether hubs answer nobody, and how many rows of feeds their statements write, where that is to be fewer. */
export const outages: { hubs: boolean; feedRows: number | null } = { hubs: false, feedRows: null }

/** The budgets that objects are bound to, from their next start on: none, unless a test says so, since files share the providers. */
export const budgets: { bound: BudgetNamespace | null; variables: Readonly<Record<string, string>> } = {
  bound: null,
  variables: {},
}

const budgeted = <Env extends { readonly BUDGETS?: BudgetNamespace }>({ BUDGETS: _, ...env }: Env) =>
  budgets.bound === null ? env : { ...env, ...budgets.variables, BUDGETS: budgets.bound }

const live = Clock.Clock.defaultValue()
const nowMillis = () => Date.now() + clock.aheadMs

/** How often a sleeper looks at the clock, in milliseconds: who moves it cannot wake somebody in another object. */
const lookEveryMs = 10

/** Sleeps until the time is there by either clock, so that a clock that is put back keeps nobody asleep. */
const sleepUntil = (at: number, realAt: number): Effect.Effect<void> =>
  Effect.suspend(() => {
    const left = Math.min(at - nowMillis(), realAt - Date.now())
    const again = left > lookEveryMs ? sleepUntil(at, realAt) : Effect.void
    return Effect.andThen(live.sleep(Duration.millis(Math.max(0, Math.min(left, lookEveryMs)))), again)
  })

const adjustable: Clock.Clock = {
  currentTimeMillisUnsafe: nowMillis,
  currentTimeMillis: Effect.sync(nowMillis),
  currentTimeNanosUnsafe: () => BigInt(nowMillis()) * 1_000_000n,
  currentTimeNanos: Effect.sync(() => BigInt(nowMillis()) * 1_000_000n),
  monotonicTimeNanosUnsafe: () => live.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: live.monotonicTimeNanos,
  sleep: (duration) => {
    const ms = Duration.toMillis(duration)
    if (ms <= clock.briefMs) return passTime(ms)
    return sleepUntil(nowMillis() + ms, Date.now() + ms)
  },
}

const states = new WeakMap<object, DurableObjectState>()

/** The object as it is, on a clock that tests can move. */
export class UserSubscriptionManager extends Live<ObjectEnv> {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    super(state, { ...budgeted(env), ...settings })
    states.set(this, state)
  }

  protected override layer(layer: Parameters<Live["layer"]>[0]) {
    return Layer.provideMerge(layer, Layer.succeed(Clock.Clock, adjustable))
  }
}

/** A hub as it is, on the same clock. */
export class SourceHub extends LiveHub<HubEnv> {
  constructor(state: DurableObjectState, env: HubEnv) {
    super(state, { ...budgeted(env), ...settings })
    states.set(this, state)
  }

  override watch(payload: Parameters<LiveHub["watch"]>[0]) {
    return outages.hubs ? Promise.reject(new Error("The hub is down")) : super.watch(payload)
  }

  override findListing(payload: Parameters<LiveHub["findListing"]>[0]) {
    return outages.hubs ? Promise.reject(new Error("The hub is down")) : super.findListing(payload)
  }

  protected override layer(layer: Parameters<LiveHub["layer"]>[0]) {
    const onClock = Layer.provideMerge(layer, Layer.succeed(Clock.Clock, adjustable))
    return outages.feedRows === null
      ? onClock
      : Layer.provideMerge(onClock, Layer.succeed(FeedRowsAtOnce, outages.feedRows))
  }
}

asInvocations(SourceHub, (instance) => states.get(instance))

/** A budget as it is, on the same clock, with the limits that a test sets. */
export class ProviderBudget extends LiveBudget {
  constructor(state: DurableObjectState, env: object) {
    super(state, { ...env, ...budgets.variables })
  }

  protected override layer() {
    return Layer.succeed(Clock.Clock, adjustable)
  }
}
asInvocations(UserSubscriptionManager, (instance) => states.get(instance))

export default { fetch: () => new Response(null, { status: 404 }) } satisfies ExportedHandler
