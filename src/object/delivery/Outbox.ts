import { asc, count } from "drizzle-orm"
import { Clock, Context, Effect, Layer, Random, Semaphore } from "effect"
import { outbox, person } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import { countFitting } from "../../domain/jsonTexts.ts"
import { readOperations } from "../grants/counters.ts"
import type { GrantStore } from "../grants/GrantStore.ts"
import { Settings } from "../Settings.ts"
import { prepared, Store } from "../Store.ts"
import { dueList, earliestDue, sourceCounts } from "../schedule.ts"
import { cursorsOf, mirrorOf, readHeldAccounts } from "./mirror.ts"
import { type Report, statements } from "./statements.ts"

/** Rows of one delivery. */
const rowsAtOnce = 200

/** How long after its promise an object may be silent before cron wakes it, in milliseconds. */
const graceMs = 30 * 60_000

/** What D1 is told at once when it changes; the rest of a report is true when the next one is due. */
const stateOf = (store: Store["Service"], held = readHeldAccounts(store)) => {
  const { sources, failing: failingSources } = sourceCounts(store)
  const accounts = held.map(({ provider, state, reason }) => ({ provider, state, reason }))
  return { sources, failingSources, accounts: JSON.stringify(accounts) } satisfies Partial<Report>
}

const isSameState = (one: ReturnType<typeof stateOf>, other: ReturnType<typeof stateOf>): boolean =>
  one.sources === other.sources && one.failingSources === other.failingSources && one.accounts === other.accounts

/** The shared D1 database. */
export class FeedDatabase extends Context.Service<FeedDatabase, D1Database>()("pollen/object/FeedDatabase") {}

export interface Delivery {
  /** Items that D1 has taken. */
  readonly delivered: number
  /** Rows that it has not. */
  readonly undelivered: number
}

const selectPerson = prepared((db) => db.select().from(person).prepare())
const countWaiting = prepared((db) => db.select({ rows: count() }).from(outbox).prepare())
const selectWaiting = prepared((db) =>
  db
    .select()
    .from(outbox)
    .orderBy(asc(outbox.id))
    .limit(rowsAtOnce + 1)
    .prepare(),
)
const endDelivery = `UPDATE person SET delivery_failures = 0, delivery_retry_at = NULL, delivery_failure = NULL,
    reported_at = coalesce(?1, reported_at), is_report_due = coalesce(?2, is_report_due)`
const deleteSent = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))"

/** What leaves the object for D1. Rows go in one batch, which D1 runs as one transaction, and are deleted once it has. */
export class Outbox extends Context.Service<
  Outbox,
  {
    /** Delivers everything, with the object's report if one is due. Fails never: what D1 does not take, stays and is tried again. */
    readonly deliver: (isHeartbeatForced: boolean) => Effect.Effect<Delivery>
    /** Waits for the delivery under way, and lets none begin until the effect has ended. */
    readonly withoutDeliveries: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
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

      const rowsLeft = () => countWaiting(db).get()?.rows ?? 0

      /** What will be due once D1 has taken this: no delivery, and the next report an interval from now. */
      const afterDelivery = (now: number) =>
        dueList(store, settings, now)
          .filter(({ what }) => what !== "deliver")
          .map((due) => (due.what === "heartbeat" ? { ...due, at: now + settings.heartbeatMs } : due))

      const report = (now: number, held: ReturnType<typeof readHeldAccounts>): Report => {
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

      const failed = Effect.fnUntraced(function* (failures: number, now: number) {
        const { minimumMs, maximumMs } = settings.bounds
        const wait = backoff(failures, yield* Random.next, {
          firstMs: Math.min(30_000, minimumMs),
          longestMs: Math.min(900_000, maximumMs),
        })
        const deliveryFailure = "D1 did not take the delivery"
        db.update(person)
          .set({ deliveryFailures: failures, deliveryRetryAt: now + wait, deliveryFailure })
          .run()
      })

      /** One batch. */
      const deliverOnce = Effect.fnUntraced(function* (isHeartbeatForced: boolean) {
        const now = yield* Clock.currentTimeMillis
        const self = selectPerson(db).get()
        if (self === undefined) return { items: 0, isDone: true }
        const waiting = selectWaiting(db).all()
        const rows = waiting.slice(0, Math.min(rowsAtOnce, countFitting(waiting.map(({ body }) => body))))
        const isLast = rows.length === waiting.length
        const isHeartbeatDue =
          isHeartbeatForced || self.isHeartbeatDue || now - (self.heartbeatAt ?? 0) >= settings.heartbeatMs
        const isHeartbeating = isLast && (rows.length > 0 || isHeartbeatDue)
        if (rows.length === 0 && !isHeartbeating) return { items: 0, isDone: true }
        const mirror = yield* Effect.provideContext(mirrorOf(rows), context)
        const accounts = readHeldAccounts(store)
        const sent = isHeartbeating ? report(now, accounts) : null
        const batch = statements(
          database,
          store,
          { createdAt: self.createdAt, now },
          { accounts, mirror, cursors: cursorsOf(db, rows) },
          rows,
          sent,
        )
        // Nothing may be left to say of what was written, such as of an account that has been handed back since.
        // Not to be interrupted: D1 cannot be told to stop, and who waits for the delivery waits for D1.
        const send = Effect.uninterruptible(Effect.tryPromise(() => database.batch(batch)))
        const delivery = batch.length === 0 ? Effect.void : send
        return yield* Effect.asVoid(delivery).pipe(
          Effect.flatMap(() =>
            store.transaction(() => {
              store.exec(deleteSent, JSON.stringify(rows.map(({ id }) => id)))
              const isHeartbeatDue = sent === null ? null : Number(!isSameState(sent, stateOf(store)))
              store.exec(endDelivery, sent === null ? null : now, isHeartbeatDue)
              return { items: rows.filter(({ kind }) => kind === "item").length, isDone: isLast }
            }),
          ),
          Effect.catchTag("UnknownError", () =>
            Effect.logWarning("D1 did not take a delivery; it stays in the outbox").pipe(
              Effect.andThen(failed(self.deliveryFailures + 1, now)),
              Effect.as({ items: 0, isDone: true }),
            ),
          ),
        )
      })

      const deliver = (isHeartbeatForced: boolean) =>
        alone.withPermit(
          Effect.gen(function* () {
            let delivered = 0
            let isDone = false
            while (!isDone) {
              const batch = yield* deliverOnce(isHeartbeatForced)
              delivered += batch.items
              isDone = batch.isDone
            }
            return { delivered, undelivered: rowsLeft() }
          }),
        )

      return { deliver, withoutDeliveries: alone.withPermit }
    }),
  )
}
