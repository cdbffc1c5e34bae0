import { Clock, Context, Effect, Layer, Semaphore } from "effect"
import { budgetName } from "../domain/budget.ts"
import { type Misconfigured, RateLimited } from "../domain/error.ts"
import { stableHash } from "../domain/hash.ts"
import type { Pause as PauseTold } from "../domain/pause.ts"
import type { Provider } from "../domain/provider.ts"
import { ClientInUse, IsRequested, Permits } from "../providers/Permits.ts"
import { type BudgetNamespace, Lease, Pause, RefusedGrant } from "../rpc/budget.ts"
import { call } from "../rpc/call.ts"
import type { Wire } from "../rpc/contract.ts"
import { LeasePool } from "./LeasePool.ts"
import { Share } from "./Share.ts"
import { type BudgetSettings, readBudgetSettings, shardOf } from "./settings.ts"

/** How long a budget may take for an answer. One that does not answer in time is down. */
const answersWithin = "3 seconds"

/** The pools of this isolate, by the budgets that its objects are bound to, and the shard that it asks. */
const isolates = new WeakMap<BudgetNamespace, { readonly pools: Map<string, LeasePool>; readonly shard: number }>()

const isolateOf = (namespace: BudgetNamespace, shards: number) => {
  const known = isolates.get(namespace)
  if (known !== undefined) return known
  const made = { pools: new Map<string, LeasePool>(), shard: Math.floor(Math.random() * shards) }
  isolates.set(namespace, made)
  return made
}

export interface Holder {
  /** Stands for whose object it is. */
  readonly name: string
  /** Whether it asks for many people, and so may have more than a person's part. */
  readonly isForMany: boolean
}

/** What an object asks of the application's budget, beside the permits of its requests. */
interface BudgetShape {
  /** Tells that a grant was refused; whether so many are that it is an outage. A budget that is down knows of none. */
  readonly isOutage: (provider: Provider, client: string | null) => Effect.Effect<boolean>
  /** Ends what a provider asked the application for. A budget that is down keeps to it. */
  readonly endPause: (provider: Provider, client: string | null) => Effect.Effect<void>
  /** Gives back what is left of a day's units where nobody else in the isolate asks. To be called when a wake is over. */
  readonly giveBack: Effect.Effect<void>
}

/** A pool of the isolate, and how it is reached. */
interface Reach {
  readonly provider: Provider
  readonly client: string | null
  readonly pool: LeasePool
}

const make = Effect.fnUntraced(function* (
  namespace: BudgetNamespace,
  { shards, limits }: BudgetSettings,
  { name, isForMany }: Holder,
) {
  const { pools, shard } = isolateOf(namespace, shards)
  const share: Readonly<Record<Provider, Share>> = { spotify: new Share(), youtube: new Share() }
  const oneAtOnce = yield* Semaphore.make(1)
  const person = stableHash(`pollen:refused:${name}`)
  const reached = new Map<LeasePool, Reach>()

  const reach = (provider: Provider, client: string | null): Reach => {
    const key = budgetName(provider, client, shard)
    const pool = pools.get(key) ?? new LeasePool(shardOf(limits[provider], shards))
    pools.set(key, pool)
    const made = reached.get(pool) ?? { provider, client, pool }
    reached.set(pool, made)
    return made
  }
  // A new stub for every call: one that has thrown is broken for good.
  const stub = (provider: Provider, client: string | null, of: number) =>
    namespace.get(namespace.idFromName(budgetName(provider, client, of)))

  /** Tells every shard. */
  const sendPause = (provider: Provider, client: string | null, pause: PauseTold | null) =>
    Effect.forEach(
      Array.from({ length: shards }, (_, of) => of),
      (of) =>
        call(Pause, (wire) => stub(provider, client, of).pause(wire))({ provider, pause }).pipe(
          Effect.timeout(answersWithin),
          Effect.catch((error) => Effect.logWarning("A budget was not told of a pause", error.message)),
        ),
      { discard: true, concurrency: 6 },
    )

  const send = ({ provider, client }: Reach, payload: Omit<Wire<typeof Lease>, "provider">) =>
    call(Lease, (wire) => stub(provider, client, shard).lease(wire))({ provider, ...payload }).pipe(
      Effect.timeout(answersWithin),
    )

  const limited = (provider: Provider, { reason, retryAt }: PauseTold) =>
    Effect.fail(new RateLimited({ provider, reason, retryAt }))

  const allowed = ({ provider, pool }: Reach, now: number) => {
    const pause = pool.takeAllowed(now)
    return pause === null ? Effect.void : limited(provider, pause)
  }

  /** Leases another block and takes of it. */
  const leaseMore = Effect.fnUntraced(function* (to: Reach, isRequested: boolean): Effect.fn.Return<void, RateLimited> {
    const { provider, pool } = to
    const now = yield* Clock.currentTimeMillis
    // Who waited finds what another request has leased meanwhile.
    if (pool.take(isRequested, share, now)) return
    const nothing = pool.nothing(isRequested, now)
    if (nothing !== undefined) return yield* limited(provider, nothing)
    if (pool.isDown(now)) return yield* allowed(to, now)
    const asked = pool.ask(now)
    const answer = yield* Effect.exit(send(to, { ...asked, isRequested }))
    const answeredAt = yield* Clock.currentTimeMillis
    if (answer._tag === "Failure") {
      yield* Effect.logWarning("The budget did not answer; a few requests are made without it", answer.cause)
      pool.fail(asked.settled, answeredAt)
      return yield* allowed(to, answeredAt)
    }
    const { lease, pause } = answer.value
    if (lease !== null) pool.accept(lease, isRequested, now)
    if (pause !== null) pool.refuse(pause, isRequested, answeredAt)
    if (pool.take(isRequested, share, answeredAt)) return
    return yield* limited(provider, pause ?? { reason: "budget_spent", retryAt: answeredAt + 1000 })
  })

  // One step where a lease is at hand, as nearly always: it stands before every request.
  const take = (provider: Provider): Effect.Effect<void, RateLimited> =>
    Effect.withFiber((fiber) => {
      const isRequested = Context.get(fiber.context, IsRequested)
      const to = reach(provider, Context.get(fiber.context, ClientInUse))
      const { pool } = to
      const { rate, daily } = pool.limits
      const now = Context.get(fiber.context, Clock.Clock).currentTimeMillisUnsafe()
      const nothing = pool.nothing(isRequested, now)
      if (nothing !== undefined && nothing.reason !== "budget_spent") return limited(provider, nothing)
      const waitUntil = isForMany || rate + daily === 0 ? null : share[provider].take(pool.limits, pool.isScarce, now)
      if (waitUntil !== null) return limited(provider, { reason: "budget_spent", retryAt: waitUntil })
      if (pool.take(isRequested, share, now)) return Effect.void
      return oneAtOnce.withPermit(leaseMore(to, isRequested))
    })

  const tell = Effect.fnUntraced(function* ({ provider, reason, retryAt }: RateLimited) {
    const client = yield* ClientInUse
    const { pool } = reach(provider, client)
    const now = yield* Clock.currentTimeMillis
    const known = pool.nothing(true, now)
    if (known !== undefined && known.reason !== "budget_spent" && known.retryAt >= retryAt) return
    pool.refuse({ reason, retryAt }, true, now)
    yield* sendPause(provider, client, { reason, retryAt })
  })

  const isOutage: BudgetShape["isOutage"] = (provider, client) =>
    call(RefusedGrant, (wire) => stub(provider, client, 0).refusedGrant(wire))({ provider, person }).pipe(
      Effect.timeout(answersWithin),
      Effect.map(({ isOutage }) => isOutage),
      Effect.catch((error) =>
        Effect.as(Effect.logWarning("The budget did not say whether a refusal is an outage", error.message), false),
      ),
    )

  const endPause: BudgetShape["endPause"] = (provider, client) =>
    Effect.suspend(() => {
      reach(provider, client).pool.forgetPauses()
      return sendPause(provider, client, null)
    })

  const giveBack = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.forEach(
      [...reached.values()].filter(({ pool }) => pool.limits.daily > 0),
      (to) => {
        const settled = to.pool.giveBack(now)
        return settled.length === 0 ? Effect.void : Effect.ignore(send(to, { wanted: 0, isRequested: false, settled }))
      },
      { discard: true },
    ).pipe(Effect.forkDetach, Effect.asVoid),
  )

  return { permits: { take, tell }, budget: { isOutage, endPause, giveBack } satisfies BudgetShape }
})

/** The application's budget, as one object uses it. Without budgets, everything is allowed. */
export class Budget extends Context.Service<Budget, BudgetShape>()("pollen/budget/Budget") {
  /** With the permits of this object's requests. */
  static readonly layer = (
    namespace: BudgetNamespace | undefined,
    env: object,
    holder: Holder,
  ): Layer.Layer<Budget, Misconfigured> =>
    namespace === undefined
      ? Layer.succeed(Budget, {
          isOutage: () => Effect.succeed(false),
          endPause: () => Effect.void,
          giveBack: Effect.void,
        })
      : Layer.effectContext(
          Effect.gen(function* () {
            const { permits, budget } = yield* make(namespace, yield* readBudgetSettings(env), holder)
            return Context.make(Budget, budget).pipe(Context.add(Permits, permits))
          }),
        )
}
