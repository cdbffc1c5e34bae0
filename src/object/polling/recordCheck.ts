import { and, eq } from "drizzle-orm"
import { Array as Arr, Clock, Context, Effect, Random } from "effect"
import { items, subscriptions } from "../../../schema/object.ts"
import { backoff } from "../../domain/backoff.ts"
import { pollInterval, publicationsConsidered, withJitter } from "../../domain/interval.ts"
import { isDeliverable, type ListedItem, toItem } from "../../domain/item.ts"
import { itemRow } from "../../feed/rows.ts"
import type { SourceMissing } from "../../providers/error.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import type { KnownItem, PendingSource } from "./statements.ts"
import * as statements from "./statements.ts"

/** Known items kept for a source, by date and by arrival: four pages, so that removals at the front never bring up the archive as new. */
const knownKept = 200

/** Items in one statement: far below SQLite's 2 MB, in any script. */
const itemsAtOnce = 50

/** What recording means where: in a person's object unless said. */
export const Recording = Context.Reference("pollen/object/polling/Recording", {
  defaultValue: () => ({
    recordSource: statements.recordSource,
    /** Has D1 told at once that a source begins to fail, or works again. */
    tellNews: ({ exec }: Pick<Store["Service"], "exec">): void => exec(statements.heartbeatSoon),
  }),
})

const oneSource = (row: PendingSource) =>
  and(eq(subscriptions.provider, row.provider), eq(subscriptions.sourceId, row.sourceId))

/** How long a count has to have been right to be proven, in milliseconds: a week; and how many times as rarely it is rechecked then. */
const provenMs = 7 * 24 * 3_600_000
const provenFactor = 3

/** Whether the count of a source has told of all that it published for a week. */
const isCountProven = ({ listedCount, isCountUnreliable, backfilledAt }: PendingSource, now: number): boolean =>
  listedCount !== null && isCountUnreliable === 0 && backfilledAt !== null && now - backfilledAt >= provenMs

/** The result of one check of a source. */
export interface Found {
  /** The items known before, by id. */
  readonly known: ReadonlyMap<string, KnownItem>
  readonly etag: string | null
  /** Whether the listing was taken to be as it was for its entity tag. */
  readonly isUnchanged: boolean
  /** Whether the source has been looked at for the first time: what comes is new from now on. */
  readonly isBackfilled: boolean
  /** New and completed, newest first. */
  readonly fresh: ReadonlyArray<ListedItem>
  /** Left out by the first poll. */
  readonly archive: ReadonlyArray<ListedItem>
  /** The date of the oldest item that the first poll listed: items below it that are not newer are archive. */
  readonly archiveBefore: number | null
  /** Waiting items, as they are now. */
  readonly rechecked: ReadonlyArray<ListedItem>
}

/** Publication times of the newest items that are known from now on, the newest first. */
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

/** Records what a check found. The cursor and the outbox move in one transaction: a crash between them would lose items. */
export const recordCheck = Effect.fnUntraced(function* (row: PendingSource, found: Found) {
  const store = yield* Store
  const { db } = store
  const settings = yield* Settings
  const { recordSource, tellNews } = yield* Recording
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
    store.exec(statements.rememberItems, provider, sourceId, now, state, JSON.stringify(rows))
  }
  const enqueue = (delivered: ReadonlyArray<ListedItem>) => {
    for (const chunk of Arr.chunksOf(delivered, itemsAtOnce)) {
      const bodies = chunk.map((item) => itemRow(toItem(item), { isBackfill: isFirst, at: now }))
      store.exec(statements.enqueueItems, JSON.stringify(bodies))
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
    const nextRecheckAt = found.isUnchanged
      ? // Trusting an entity tag is no recheck.
        row.recheckDueAt
      : now + Math.round(settings.recheckMs * (0.9 + random / 5) * (isCountProven(row, now) ? provenFactor : 1))
    const recheckDueAt = isAnnouncedMissing ? now + wait : nextRecheckAt
    const isCountUnreliable = row.isCountUnreliable === 1 || hasPublishedUnannounced ? 1 : 0
    const recorded = store.rows(
      recordSource,
      ...[provider, sourceId, row.listedCount, found.etag, isCountUnreliable],
      ...[recheckDueAt, intervalMs, now + wait, now, archiveBefore, known[0] ?? row.publishedAt],
      found.isBackfilled ? 1 : 0,
    )
    if (recorded.length === 0) return 0
    if (row.reason !== null) tellNews(store)

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
    // Listed, but not described yet: they are checked again soon, since the listing may never change again.
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
    if (isPruned) store.exec(statements.pruneItems, provider, sourceId, knownKept)
    return deliverable.length
  })
})

/** Records that the provider no longer has the source, or that it has no list of items. It is checked as rarely as allowed. */
export const recordMissing = Effect.fnUntraced(function* (row: PendingSource, { state }: SourceMissing) {
  const store = yield* Store
  const { tellNews } = yield* Recording
  const { db } = store
  const { bounds, recheckMs } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const reason = state === "gone" ? "the provider no longer has it" : "it has no uploads yet"
  const recheckDueAt = now + Math.max(recheckMs, bounds.maximumMs)
  if (row.reason === null) tellNews(store)
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
      // Items that a source publishes after it was seen empty are new, not backfill. Without a list, it is empty if its count says so.
      backfilledAt: row.backfilledAt ?? (state === "empty" && row.listedCount === 0 ? now : null),
    })
    .where(oneSource(row))
    .run()
})

/** Records that the object has died each time while this source was asked. It is left alone for the longest interval. */
export const recordDeadly = Effect.fnUntraced(function* (row: PendingSource, deaths: number) {
  const store = yield* Store
  const { tellNews } = yield* Recording
  const { db } = store
  const { bounds } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  if (row.reason === null) tellNews(store)
  const reason = `the object died while it was asked, after ${deaths} passes that were cut off`
  db.update(subscriptions)
    .set({ failures: row.failures + 1, reason, dueAt: now + bounds.maximumMs })
    .where(oneSource(row))
    .run()
  yield* Effect.logError(
    `The object died while ${row.provider} ${row.sourceId} was asked; it is left alone for a while`,
  )
})

/** Records why a check failed. The source is retried, less and less often. */
export const recordFailure = Effect.fnUntraced(function* (row: PendingSource, reason: string) {
  const store = yield* Store
  const { tellNews } = yield* Recording
  const { db } = store
  if (row.reason === null) tellNews(store)
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
