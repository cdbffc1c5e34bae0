import { Clock, Context, Effect, Layer, Random, Semaphore } from "effect"
import { person } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import { askDatabase } from "../../domain/database.ts"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import { countFitting } from "../../domain/jsonTexts.ts"
import { readOperations } from "../grants/counters.ts"
import type { GrantStore } from "../grants/GrantStore.ts"
import { Settings, type SettingsShape } from "../Settings.ts"
import { Store } from "../Store.ts"
import { dueList, earliestDue, readCounts } from "../schedule.ts"
import { type Heartbeat, toBatch } from "./batch.ts"
import { cursorsOf, mirrorOf, readHeldAccounts } from "./mirror.ts"
import { isRefusal, isSetAside } from "./refusal.ts"
import * as statements from "./statements.ts"

/** Rows of one delivery. */
const rowsAtOnce = 200

/** Time past its promise that an object may be silent before cron wakes it, in milliseconds. */
const graceMs = 30 * 60_000

/** Time after a heartbeat from which on the next goes along with items, in milliseconds. */
const soonOf = ({ heartbeatMs }: SettingsShape) => heartbeatMs / 2

/** The part of a heartbeat that D1 is told at once when it changes. */
const stateOf = (store: Store["Service"], held = readHeldAccounts(store)) => {
  const { sources, failing: failingSources, setAside } = readCounts(store)
  const accounts = held.map(({ provider, state, reason, pauseBoundedUntil }) => ({
    ...{ provider, state, reason },
    ...(pauseBoundedUntil === null ? {} : { pauseBoundedUntil }),
  }))
  return { sources, failingSources, setAside, accounts: JSON.stringify(accounts) } satisfies Partial<Heartbeat>
}

const isSameState = (one: ReturnType<typeof stateOf>, other: ReturnType<typeof stateOf>): boolean =>
  one.sources === other.sources &&
  one.failingSources === other.failingSources &&
  one.setAside === other.setAside &&
  one.accounts === other.accounts

/** The shared D1 database. */
export class FeedDatabase extends Context.Service<FeedDatabase, D1Database>()("pollen/object/FeedDatabase") {}

export interface Delivery {
  /** Items that D1 has taken. */
  readonly delivered: number
  /** Rows that it has not. */
  readonly undelivered: number
}

interface DeliveryOptions {
  readonly isHeartbeatForced: boolean
}

/** A delivery that D1 has not answered in time: it may still take it. */
interface Late {
  readonly since: number
  readonly settled: Promise<unknown>
}

/** After which a delivery without an answer is not waited for any more, in milliseconds: D1 ends what takes longer than 30 s. */
const abandonedMs = 120_000

/** Delivers the outbox to D1. Rows go in one batch, which D1 runs as one transaction, and are deleted once it has. */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Delivers everything, with a heartbeat if one is due. Never fails: rows that D1 rejects stay and are retried. */
    readonly deliver: Effect.Effect<Delivery>
    /** The same, with a heartbeat whether one is due or not. */
    readonly deliverWithHeartbeat: Effect.Effect<Delivery>
    /** Puts what was set aside back into the outbox, and delivers it. */
    readonly redeliver: Effect.Effect<Delivery>
    /** Waits for the delivery under way, and lets none begin until the effect has ended. Fails where D1 may still take an earlier one. */
    readonly withoutDeliveries: <A, E, R>(
      effect: Effect.Effect<A, E, R>,
    ) => Effect.Effect<A, E | DatabaseUnavailable, R>
  }
>()("pollen/object/Outbox") {
  static readonly layer = Layer.effect(
    Outbox,
    Effect.gen(function* () {
      const store = yield* Store
      const { db } = store
      const settings = yield* Settings
      const context = yield* Effect.context<Store | GrantStore>()
      const database = yield* FeedDatabase
      const alone = yield* Semaphore.make(1)
      let late: Late | undefined
      const isLate = ({ since }: Late, now: number) => now - since < abandonedMs
      /** How many rows go at once: fewer while a row that D1 refuses is looked for. */
      let most = rowsAtOnce

      const countWaiting = () => store.rows<{ waiting: number }>(statements.countWaiting)[0]?.waiting ?? 0

      /** Reads as many rows as D1 takes at once, and whether they are the last. */
      const readNext = () => {
        const waiting = store.rows<statements.OutboxRow>(statements.selectWaiting, most + 1)
        const fitting = countFitting(waiting.map(({ body }) => body))
        const rows = waiting.slice(0, Math.min(most, fitting))
        return { rows, isLast: rows.length === waiting.length }
      }

      /** Lists what is due once D1 has taken this: no delivery, and the next heartbeat an interval from now. */
      const afterDelivery = (now: number) =>
        dueList(store, settings, now)
          .filter(({ what }) => what !== "deliver")
          .map((due) => (due.what === "heartbeat" ? { ...due, at: now + settings.heartbeatMs } : due))

      const makeHeartbeat = (now: number, held: ReadonlyArray<statements.HeldAccount>): Heartbeat => {
        const isActive = held.some(({ state }) => state === "connected")
        return {
          durableObjectId: store.durableObjectId,
          heartbeatAt: now,
          expectedBy: isActive ? now + settings.heartbeatMs + graceMs : null,
          nextDueAt: earliestDue(afterDelivery(now)),
          ...stateOf(store, held),
          operations: JSON.stringify(readOperations(db)),
        }
      }

      const recordFailure = Effect.fnUntraced(function* (failures: number, now: number, reason: string) {
        const { minimumMs, maximumMs } = settings.bounds
        const wait = backoff(failures, yield* Random.next, {
          firstMs: Math.min(30_000, minimumMs),
          longestMs: Math.min(900_000, maximumMs),
        })
        db.update(person)
          .set({ deliveryFailures: failures, deliveryRetryAt: now + wait, deliveryFailure: reason })
          .run()
        yield* Effect.logWarning("D1 did not take a delivery; it stays in the outbox", reason)
      })

      /** Sends a batch. One that is not answered in time is remembered: another may not pass it by. */
      const send = (batch: Array<D1PreparedStatement>, now: number) =>
        askDatabase("delivery", () => {
          const answered = database.batch(batch).finally(() => {
            if (late === mine) late = undefined
          })
          const mine: Late = { since: now, settled: answered.catch(() => undefined) }
          late = mine
          return answered
        })

      /** Sets the one row aside that D1 refuses, or sends half as many, until it is one. Returns whether the delivery may go on. */
      const narrowDown = Effect.fnUntraced(function* (
        rows: ReadonlyArray<statements.OutboxRow>,
        reason: string,
        now: number,
      ) {
        const [row] = rows
        if (rows.length > 1) {
          most = Math.ceil(rows.length / 2)
          return true
        }
        most = rowsAtOnce
        if (row === undefined || !isSetAside(row.kind)) return false
        yield* store.transaction(() => {
          store.exec(statements.insertSetAside, row.id, reason, now)
          store.exec(statements.deleteSent, JSON.stringify([row.id]))
          db.update(person).set({ isHeartbeatDue: true }).run()
        })
        yield* Effect.logError(`D1 refuses a row (${row.kind}) for what it is; it is set aside for an operator`, reason)
        return true
      })

      /** Deletes what D1 has taken. A state that has changed meanwhile is told with the next delivery. */
      const recordSuccess = (rows: ReadonlyArray<statements.OutboxRow>, sent: Heartbeat | null) =>
        store.transaction(() => {
          store.exec(statements.deleteSent, JSON.stringify(rows.map(({ id }) => id)))
          const isHeartbeatDue = sent === null ? null : Number(!isSameState(sent, stateOf(store)))
          store.exec(statements.endDelivery, sent?.heartbeatAt ?? null, isHeartbeatDue)
        })

      /** Delivers one batch. */
      const deliverNext = Effect.fnUntraced(function* ({ isHeartbeatForced }: DeliveryOptions) {
        const now = yield* Clock.currentTimeMillis
        const [self] = store.rows<statements.Self>(statements.selectSelf)
        if (self === undefined) return { items: 0, isDone: true }
        if (late !== undefined && isLate(late, now)) {
          yield* recordFailure(self.deliveryFailures + 1, now, "D1 has not answered the delivery before yet")
          return { items: 0, isDone: true }
        }
        const { rows, isLast } = readNext()
        const isHeartbeatDue =
          isHeartbeatForced || self.isHeartbeatDue === 1 || now - (self.heartbeatAt ?? 0) >= settings.heartbeatMs
        // Items leave most of a heartbeat as it was: one goes along with them where it would soon go by itself.
        const goesAlong = rows.some(({ kind }) => kind !== "item") || now - (self.heartbeatAt ?? 0) >= soonOf(settings)
        const isHeartbeating = isLast && (isHeartbeatDue || (rows.length > 0 && goesAlong))
        if (rows.length === 0 && !isHeartbeating) return { items: 0, isDone: true }
        const mirror = yield* Effect.provideContext(mirrorOf(rows), context)
        const accounts = readHeldAccounts(store)
        const heartbeat = isHeartbeating ? makeHeartbeat(now, accounts) : null
        const { userId, durableObjectId } = store
        const sender = { userId, durableObjectId, createdAt: self.createdAt }
        const batch = toBatch(database, sender, now, {
          rows,
          accounts,
          mirror,
          cursors: cursorsOf(db, rows),
          heartbeat,
        })
        // The rows may leave nothing to tell, such as of an account that has been handed back since.
        const delivery = batch.length === 0 ? Effect.void : send(batch, now)
        return yield* Effect.asVoid(delivery).pipe(
          Effect.andThen(recordSuccess(rows, heartbeat)),
          Effect.as({ items: rows.filter(({ kind }) => kind === "item").length, isDone: isLast }),
          Effect.catchTag(
            "DatabaseUnavailable",
            Effect.fnUntraced(function* ({ reason }) {
              if (isRefusal(reason) && (yield* narrowDown(rows, reason, now))) return { items: 0, isDone: false }
              yield* recordFailure(self.deliveryFailures + 1, now, reason)
              return { items: 0, isDone: true }
            }),
          ),
        )
      })

      const deliverAll = (options: DeliveryOptions) =>
        alone.withPermit(
          Effect.gen(function* () {
            let delivered = 0
            let isDone = false
            most = rowsAtOnce
            while (!isDone) {
              const batch = yield* deliverNext(options)
              delivered += batch.items
              isDone = batch.isDone
            }
            return { delivered, undelivered: countWaiting() }
          }),
        )

      const takeSetAside = store.transaction(() => {
        store.exec(statements.takeSetAside)
        store.exec(statements.deleteSetAside)
      })

      /** An answer that comes late must not find the rows gone that it is about. */
      const awaitLate = Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const waited = late
        return waited === undefined || !isLate(waited, now)
          ? Effect.void
          : Effect.asVoid(askDatabase("delivery", () => waited.settled))
      })

      return {
        deliver: deliverAll({ isHeartbeatForced: false }),
        deliverWithHeartbeat: deliverAll({ isHeartbeatForced: true }),
        redeliver: Effect.andThen(takeSetAside, deliverAll({ isHeartbeatForced: false })),
        withoutDeliveries: (effect) => alone.withPermit(Effect.andThen(awaitLate, effect)),
      }
    }),
  )
}
