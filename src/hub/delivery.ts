import { Clock, Effect, Random } from "effect"
import { backoff } from "../domain/backoff.ts"
import { askDatabase } from "../domain/database.ts"
import { countFitting, jsonArray } from "../domain/jsonTexts.ts"
import { insertItems } from "../feed/statements.ts"
import { FeedDatabase } from "../object/delivery/Outbox.ts"
import { isRefusal } from "../object/delivery/refusal.ts"
import { deleteSent, insertSetAside, type OutboxRow, selectWaiting } from "../object/delivery/statements.ts"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { Hub } from "./Hub.ts"
import * as statements from "./statements.ts"

/** Items of one delivery. */
const rowsAtOnce = 100

/** Sends items to D1: each once, and to the feed of everybody who follows its source. It may be sent again. */
const send = (database: D1Database, rows: ReadonlyArray<OutboxRow>) => {
  const json = jsonArray(rows.map(({ body }) => body))
  const batch = [insertItems, statements.insertFeeds].map((sql) => database.prepare(sql).bind(json))
  return askDatabase("hub delivery", () => database.batch(batch))
}

/** Sends the next items that fit. A row that D1 refuses for what it is is set aside. Returns whether that was all. */
const deliverNext = Effect.fnUntraced(function* (most: number) {
  const store = yield* Store
  const database = yield* FeedDatabase
  const now = yield* Clock.currentTimeMillis
  const waiting = store.rows<OutboxRow>(selectWaiting, most)
  const rows = waiting.slice(0, countFitting(waiting.map(({ body }) => body)))
  if (rows.length === 0) return { isDone: true, isRefused: false }
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return yield* send(database, rows).pipe(
    Effect.map(() => {
      store.exec(deleteSent, ids)
      return { isDone: false, isRefused: false }
    }),
    Effect.catchIf(
      ({ reason }) => isRefusal(reason),
      Effect.fnUntraced(function* ({ reason }) {
        const [row] = rows
        if (rows.length > 1 || row === undefined) return { isDone: false, isRefused: true }
        yield* store.transaction(() => {
          store.exec(insertSetAside, row.id, reason, now)
          store.exec(deleteSent, ids)
        })
        yield* Effect.logError("D1 refuses an item for what it is; it is set aside", reason)
        return { isDone: false, isRefused: false }
      }),
    ),
  )
})

/** Delivers what the hub has found. Never fails: what D1 does not take stays, and is retried. */
export const deliver = Effect.gen(function* () {
  const store = yield* Store
  let most = rowsAtOnce
  let isDone = false
  while (!isDone) {
    const sent = yield* deliverNext(most)
    isDone = sent.isDone
    // One by one until the row that D1 refuses has been found.
    most = sent.isRefused ? 1 : rowsAtOnce
  }
  store.exec(statements.endDelivery)
}).pipe(
  Effect.catchTag(
    "DatabaseUnavailable",
    Effect.fnUntraced(function* ({ reason }) {
      const store = yield* Store
      const hub = yield* Hub
      const { bounds } = yield* Settings
      const failures = (hub.read()?.deliveryFailures ?? 0) + 1
      const wait = backoff(failures, yield* Random.next, {
        firstMs: Math.min(30_000, bounds.minimumMs),
        longestMs: Math.min(900_000, bounds.maximumMs),
      })
      store.exec(statements.delayDelivery, failures, (yield* Clock.currentTimeMillis) + wait)
      yield* Effect.logWarning("D1 did not take what a hub found; it stays in its outbox", reason)
    }),
  ),
)
