import { Clock, Context, Effect, Random } from "effect"
import { backoff } from "../domain/backoff.ts"
import { askDatabase } from "../domain/database.ts"
import { countFitting, jsonArray } from "../domain/jsonTexts.ts"
import { insertItems } from "../feed/statements.ts"
import { FeedDatabase } from "../object/delivery/Outbox.ts"
import { isRefusal } from "../object/delivery/refusal.ts"
import { deleteSent, insertSetAside, type OutboxRow, selectWaiting } from "../object/delivery/statements.ts"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { Hub, provider } from "./Hub.ts"
import * as statements from "./statements.ts"

/** Items of one delivery. */
const rowsAtOnce = 100

/** Rows of feeds that one statement writes, about: D1 ends what takes longer than 30 s, and everybody else waits meanwhile. */
export const FeedRowsAtOnce = Context.Reference<number>("pollen/hub/FeedRowsAtOnce", { defaultValue: () => 5000 })

const sourceOf = ({ body }: OutboxRow): string => {
  const { sourceId }: { readonly sourceId: string } = JSON.parse(body)
  return sourceId
}

/** Sends items to D1: each once, and to the feed of everybody who follows its source. It may be sent again. */
const sendToAll = (database: D1Database, json: string) => {
  const batch = [insertItems, statements.insertFeeds].map((sql) => database.prepare(sql).bind(json))
  return Effect.asVoid(askDatabase("hub delivery", () => database.batch(batch)))
}

/**
 * The same of items of one source that very many follow: their feeds are written range by range of their ids. Whoever begins to follow
 * meanwhile finds the items by themselves. A hub that dies in between begins anew, and what is written already stays as it is.
 */
const sendInRanges = Effect.fnUntraced(function* (
  database: D1Database,
  json: string,
  sourceId: string,
  followers: number,
) {
  const ask = (after: string) => {
    const of = [provider, sourceId, after, followers]
    return askDatabase("hub delivery", () =>
      database.batch<statements.Range>([
        database.prepare(insertItems).bind(json),
        database.prepare(statements.insertFeedsInRange).bind(json, ...of),
        database.prepare(statements.selectRange).bind(...of),
      ]),
    )
  }
  let after: string | null = ""
  while (after !== null) {
    const answers: ReadonlyArray<D1Result<statements.Range>> = yield* ask(after)
    const next: statements.Range | undefined = answers.at(-1)?.results[0]
    after = next === undefined || next.followers < followers ? null : next.last
  }
})

/** The next rows of one delivery: of sources that few follow together, or of one that very many follow. */
const together = (store: Store["Service"], waiting: ReadonlyArray<OutboxRow>, most: number) => {
  const sources = waiting.map(sourceOf)
  const rows = store.rows<{ sourceId: string }>(statements.selectPopular, JSON.stringify([...new Set(sources)]), most)
  const popular = new Set(rows.map(({ sourceId }) => sourceId))
  const [first = ""] = sources
  const end = popular.has(first)
    ? sources.findIndex((source) => source !== first)
    : sources.findIndex((source) => popular.has(source))
  return { rows: end < 0 ? waiting : waiting.slice(0, end), popular: popular.has(first) ? first : null }
}

/** Sends the next items that fit. A row that D1 refuses for what it is is set aside. Returns whether that was all. */
const deliverNext = Effect.fnUntraced(function* (most: number) {
  const store = yield* Store
  const database = yield* FeedDatabase
  const now = yield* Clock.currentTimeMillis
  const waiting = store.rows<OutboxRow>(selectWaiting, most)
  const fitting = waiting.slice(0, countFitting(waiting.map(({ body }) => body)))
  if (fitting.length === 0) return { isDone: true, isRefused: false }
  const feedRows = yield* FeedRowsAtOnce
  const { rows, popular } = together(store, fitting, Math.ceil(feedRows / fitting.length))
  const ids = JSON.stringify(rows.map(({ id }) => id))
  const json = jsonArray(rows.map(({ body }) => body))
  const sent =
    popular === null
      ? sendToAll(database, json)
      : sendInRanges(database, json, popular, Math.max(1, Math.floor(feedRows / rows.length)))
  return yield* sent.pipe(
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
