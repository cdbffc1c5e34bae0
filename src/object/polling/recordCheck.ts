import { and, eq, type SQL, sql } from "drizzle-orm"
import { Array as Arr, Clock, Effect, Random } from "effect"
import { items, subscriptions } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import { pollInterval, publicationsConsidered, withJitter } from "../../domain/interval.ts"
import { isDeliverable, type ListedItem, toItem } from "../../domain/item.ts"
import { itemRow } from "../../feed/rows.ts"
import type { SourceMissing } from "../../providers/error.ts"
import { Settings } from "../Settings.ts"
import { Store, type SubscriptionRow } from "../Store.ts"

/** How many known items a source keeps, by date and by arrival: four pages, so that removals at the front never bring the archive up as new. */
const knownKept = 200

/** Items that one statement takes: far below SQLite's 2 MB, in whatever script. */
const itemsAtOnce = 50

const oneSource = (row: SubscriptionRow) =>
  and(eq(subscriptions.provider, row.provider), eq(subscriptions.sourceId, row.sourceId))

/** An item known, as it is kept. */
export type KnownItem = Readonly<Pick<typeof items.$inferSelect, "itemId" | "publishedAt" | "state" | "recheckAt">>

/** What one look at a source brought. */
export interface Found {
  /** The items known before, by id. */
  readonly known: ReadonlyMap<string, KnownItem>
  readonly etag: string | null
  /** New and completed, newest first. */
  readonly fresh: ReadonlyArray<ListedItem>
  /** Left out by the first poll. */
  readonly archive: ReadonlyArray<ListedItem>
  /** The date of the oldest item listed by the first poll: what lies below it and is not newer is archive. */
  readonly archiveBefore: number | null
  /** Waiting items that were looked at again. */
  readonly rechecked: ReadonlyArray<ListedItem>
}

// One statement, however many items: they come as one JSON parameter.
const rememberItems = `INSERT INTO items (provider, source_id, item_id, published_at, seen_at, state, recheck_at)
  SELECT ?1, ?2, value->>'itemId', value->>'publishedAt', ?3, ?4, value->>'recheckAt' FROM json_each(?5) WHERE true
  ON CONFLICT DO UPDATE SET published_at = excluded.published_at, state = excluded.state, recheck_at = excluded.recheck_at`

/** How many sources fail has changed: D1 is told at once. */
const heartbeatSoon = "UPDATE person SET is_report_due = 1"

const enqueueItems = "INSERT INTO outbox (kind, body) SELECT 'item', value FROM json_each(?1)"

// Nothing is settled of a source that was unfollowed, or handed back, while it was being asked: it is not this object's to deliver.
const recordSource = `UPDATE subscriptions SET state = 'active', item_count = ?3, etag = ?4, is_pending = 0, is_count_unreliable = ?5,
    verify_at = ?6, interval_ms = ?7, due_at = ?8, polled_at = ?9, backfilled_at = coalesce(backfilled_at, ?9), archive_before = ?10,
    published_at = ?11, failures = 0, reason = NULL
  WHERE provider = ?1 AND source_id = ?2
    AND EXISTS (SELECT 1 FROM accounts WHERE provider = ?1 AND state = 'connected' AND is_holder) RETURNING 1`

/** When the newest items were published that are known from now on, the newest first. */
const publishedFrom = ({ known, archive, fresh, rechecked }: Found): ReadonlyArray<number> => {
  const published = new Map<string, number>()
  for (const { itemId, publishedAt } of known.values()) published.set(itemId, publishedAt)
  for (const { itemId, publishedAt } of archive) published.set(itemId, publishedAt)
  for (const { itemId, publishedAt } of fresh) published.set(itemId, publishedAt)
  for (const { itemId, publishedAt, availability } of rechecked) {
    if (availability === "withheld") published.delete(itemId)
    else published.set(itemId, publishedAt)
  }
  return [...published.values()].sort((one, other) => other - one).slice(0, knownKept)
}

/** Writes down what a look brought. The cursor and the outbox move in one transaction: a crash between them would lose items. */
export const recordCheck = Effect.fnUntraced(function* (row: SubscriptionRow, found: Found) {
  const store = yield* Store
  const { db } = store
  const settings = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const random = yield* Random.next
  const isFirst = row.backfilledAt === null

  const { provider, sourceId } = row
  const remember = (state: "delivered" | "archive" | "waiting", remembered: ReadonlyArray<ListedItem>) => {
    if (remembered.length === 0) return
    // Oldest first, so that rows are in the order of arrival.
    const rows = remembered.toReversed().map(({ itemId, publishedAt, startsAt }) => ({
      itemId,
      publishedAt,
      recheckAt:
        state === "waiting" ? Math.max(startsAt ?? now + settings.recheckMs, now + settings.bounds.minimumMs) : null,
    }))
    store.exec(rememberItems, provider, sourceId, now, state, JSON.stringify(rows))
  }
  const enqueue = (delivered: ReadonlyArray<ListedItem>) => {
    for (const chunk of Arr.chunksOf(delivered, itemsAtOnce)) {
      const bodies = chunk.map((item) => itemRow(toItem(item), { isBackfill: isFirst, at: now }))
      store.exec(enqueueItems, JSON.stringify(bodies))
    }
  }

  return yield* store.transaction(() => {
    const known = publishedFrom(found)
    const oldestKept = known.at(-1)
    const isPruned = known.length === knownKept && oldestKept !== undefined
    const archiveBefore = isPruned ? Math.max(oldestKept, found.archiveBefore ?? 0) : found.archiveBefore

    const intervalMs = pollInterval(known.slice(0, publicationsConsidered), now, settings.bounds)
    const wait = withJitter(intervalMs, random, settings.bounds)
    const hasPublishedUnannounced = !isFirst && found.fresh.length > 0 && row.listedCount === row.itemCount
    // A count may change before the listing does: then the source is asked once more when it is next due.
    const isAnnouncedMissing =
      !isFirst && found.fresh.length === 0 && (row.listedCount ?? 0) > (row.itemCount ?? Number.POSITIVE_INFINITY)
    const recheckDueAt = isAnnouncedMissing ? now + wait : now + Math.round(settings.recheckMs * (0.9 + random / 5))
    const isCountUnreliable = row.isCountUnreliable || hasPublishedUnannounced ? 1 : 0
    const settled = store.rows(
      recordSource,
      ...[provider, sourceId, row.listedCount, found.etag, isCountUnreliable],
      ...[recheckDueAt, intervalMs, now + wait, now, archiveBefore, known[0] ?? row.publishedAt],
    )
    if (settled.length === 0) return 0
    if (row.reason !== null) store.exec(heartbeatSoon)

    const deliverable = [...found.fresh, ...found.rechecked].filter(isDeliverable)
    remember("archive", found.archive)
    remember("delivered", deliverable)
    // Oldest first, so that the outbox leaves in the order of publication.
    enqueue(deliverable.toReversed())
    remember(
      "waiting",
      [...found.fresh, ...found.rechecked].filter(
        ({ availability }) => availability === "upcoming" || availability === "unplayable",
      ),
    )
    // Listed, but not described yet: it gets a second look soon, since the listing may never change again.
    const undescribed = found.fresh.filter(({ availability }) => availability === "withheld")
    remember(
      "waiting",
      undescribed.map((item) => ({ ...item, startsAt: now })),
    )
    for (const { itemId, availability } of found.rechecked) {
      if (availability !== "withheld") continue
      db.delete(items)
        .where(and(eq(items.provider, row.provider), eq(items.sourceId, row.sourceId), eq(items.itemId, itemId)))
        .run()
    }
    if (isPruned) {
      const ofSource = and(eq(items.provider, provider), eq(items.sourceId, sourceId))
      // The newest by date, and the newest by arrival: an item with an old date is on top of the listing all the same.
      const newest = (by: SQL) =>
        sql`SELECT ${items.itemId} FROM ${items} WHERE ${ofSource} ORDER BY ${by} DESC, rowid DESC LIMIT ${knownKept}`
      db.run(
        sql`DELETE FROM ${items} WHERE ${ofSource} AND ${items.state} <> 'waiting'
          AND ${items.itemId} NOT IN (${newest(sql`${items.publishedAt}`)})
          AND ${items.itemId} NOT IN (${newest(sql`${items.seenAt}`)})`,
      )
    }
    return deliverable.length
  })
})

/** A source that the provider no longer has, or that has no list of items: looked at as rarely as allowed. */
export const recordMissing = Effect.fnUntraced(function* (row: SubscriptionRow, { state }: SourceMissing) {
  const { db, exec } = yield* Store
  const { bounds, recheckMs } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const reason = state === "gone" ? "the provider no longer has it" : "it has no uploads yet"
  const recheckDueAt = now + Math.max(recheckMs, bounds.maximumMs)
  if (row.reason === null) exec(heartbeatSoon)
  db.update(items)
    .set({ recheckAt: recheckDueAt })
    .where(and(eq(items.provider, row.provider), eq(items.sourceId, row.sourceId), eq(items.state, "waiting")))
    .run()
  db.update(subscriptions)
    .set({
      state,
      reason,
      isPending: false,
      itemCount: row.listedCount,
      etag: null,
      intervalMs: bounds.maximumMs,
      dueAt: now + bounds.maximumMs,
      recheckDueAt,
      polledAt: now,
      // Whatever a source publishes after it was seen empty is new, not backfill.
      backfilledAt: row.backfilledAt ?? (state === "empty" ? now : null),
    })
    .where(oneSource(row))
    .run()
})

/** It is tried again later, less and less often, and says why. */
export const recordFailure = Effect.fnUntraced(function* (row: SubscriptionRow, reason: string) {
  const { db, exec } = yield* Store
  if (row.reason === null) exec(heartbeatSoon)
  const { bounds } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const failures = row.failures + 1
  const wait = backoff(failures, yield* Random.next, {
    firstMs: Math.min(60_000, bounds.minimumMs),
    longestMs: bounds.maximumMs,
  })
  db.update(subscriptions)
    .set({ failures, reason, dueAt: now + wait })
    .where(oneSource(row))
    .run()
})
