import { and, asc, eq, lte, or, sql } from "drizzle-orm"
import { Clock, Effect } from "effect"
import { items, outbox, subscriptions } from "../../../schema/object.ts"
import { jitterFraction } from "../../domain/interval.ts"
import type { Provider } from "../../domain/provider.ts"
import { hasSameDetails, type Source } from "../../domain/subscription.ts"
import { followRow, sourceRow, unfollowRow } from "../../feed/rows.ts"
import type { ProviderClient } from "../../providers/provider.ts"
import { Settings } from "../Settings.ts"
import { prepared, Store, type SubscriptionRow } from "../Store.ts"
import { readLibrary, savePages } from "./libraryPages.ts"

const provider = sql.placeholder("provider")
const now = sql.placeholder("now")

const selectPolled = "SELECT 1 FROM accounts WHERE provider = ?1 AND state = 'connected' AND is_holder"

type Known = Readonly<Pick<SubscriptionRow, "sourceId" | "title" | "url" | "imageUrl" | "listedCount">>
const selectKnown = `SELECT source_id AS sourceId, title, url, image_url AS imageUrl, listed_count AS listedCount
  FROM subscriptions WHERE provider = ?1`

// One statement, however many have changed: they come as one JSON parameter.
const updateListed = `UPDATE subscriptions SET title = listed.value->>'title', url = listed.value->>'url',
    image_url = listed.value->>'imageUrl', listed_count = listed.value->>'itemCount'
  FROM json_each(?2) listed WHERE provider = ?1 AND source_id = listed.value->>'sourceId'`

/** Asked are those whose count has changed, those that are due for a look all the same, and those with an item that waits. */
const markPending = `UPDATE subscriptions SET is_pending = 1 WHERE provider = ?1 AND (
  (listed_count IS NOT item_count AND state <> 'gone') OR verify_at <= ?2 OR (is_count_unreliable AND due_at <= ?2)
  OR source_id IN (SELECT source_id FROM items WHERE provider = ?1 AND state = 'waiting' AND recheck_at <= ?2))`

// Whatever does not have to be asked has been looked at now; jitter, as in `withJitter`, keeps a million objects apart. Where the count cannot be
// relied on, the library is no look: such a source keeps the time at which it is due. So does one that is not due before long: where one
// source is polled every quarter of an hour, the hundred beside it are not written each time. What jitter has spread is due together;
// and what is due later than the bounds allow, they have been lowered since.
const shortest = `max(?3, interval_ms * (1 - ${jitterFraction}))`
const longest = `min(?4, interval_ms * (1 + ${jitterFraction}))`
const markLookedAt = `UPDATE subscriptions SET due_at = ?2
    + CAST(min(?4, max(?3, ${shortest} + abs(random() % 1000) / 1000.0 * (${longest} - ${shortest}))) AS INTEGER)
  WHERE provider = ?1 AND NOT is_pending AND NOT is_count_unreliable
    AND (due_at <= ?2 + interval_ms * ${2 * jitterFraction} OR due_at > ?2 + ?4)`

/**
 * Makes the object's subscriptions what the person follows now, and marks those that have to be asked for items: the new ones,
 * those whose item count has changed, and those that are due for a look although it has not.
 */
export const synchronise = Effect.fn("library.synchronise")(function* (client: ProviderClient) {
  const store = yield* Store
  const { db } = store
  const settings = yield* Settings
  const { provider } = client
  const { pages, sources, missing } = yield* readLibrary(client)
  const now = yield* Clock.currentTimeMillis
  const { minimumMs, maximumMs } = settings.bounds

  yield* store.transaction(() => {
    // Disconnected or handed back while the library was read: nothing of it is followed here any more.
    if (store.rows(selectPolled, provider).length === 0) return
    const known = new Map(store.rows<Known>(selectKnown, provider).map((row) => [row.sourceId, row]))
    const changed: Array<Source> = []
    const enqueue = (kind: string, body: unknown) =>
      db
        .insert(outbox)
        .values({ kind, body: JSON.stringify(body) })
        .run()

    for (const source of sources) {
      const { sourceId, itemCount, ...details } = source
      const before = known.get(sourceId)
      if (before === undefined) {
        db.insert(subscriptions)
          .values({
            provider,
            sourceId,
            ...details,
            followedAt: now,
            listedCount: itemCount,
            recheckDueAt: now,
            intervalMs: maximumMs,
            dueAt: now,
          })
          .onConflictDoNothing()
          .run()
        enqueue("source", sourceRow(provider, sourceId, source, now))
        enqueue("follow", followRow(provider, sourceId, now))
        continue
      }
      const isRenamed = !hasSameDetails(source, before)
      if (!isRenamed && before.listedCount === itemCount) continue
      changed.push(source)
      if (isRenamed) enqueue("source", sourceRow(provider, sourceId, source, now))
    }

    for (const sourceId of known.keys()) {
      if (!missing.has(sourceId)) continue
      db.delete(subscriptions)
        .where(and(eq(subscriptions.provider, provider), eq(subscriptions.sourceId, sourceId)))
        .run()
      db.delete(items)
        .where(and(eq(items.provider, provider), eq(items.sourceId, sourceId)))
        .run()
      enqueue("unfollow", unfollowRow(provider, sourceId))
    }

    if (changed.length > 0) store.exec(updateListed, provider, JSON.stringify(changed))
    store.exec(markPending, provider, now)
    store.exec(markLookedAt, provider, now, minimumMs, maximumMs)

    savePages(store, provider, pages)
    store.exec("UPDATE accounts SET library_read_at = ?2, pass_started_at = ?2 WHERE provider = ?1", provider, now)
  })
})

const selectPending = prepared((db) =>
  db
    .select()
    .from(subscriptions)
    .where(
      and(
        eq(subscriptions.provider, provider),
        eq(subscriptions.isPending, true),
        or(eq(subscriptions.failures, 0), lte(subscriptions.dueAt, now)),
      ),
    )
    // Longest unseen first: a provider that always asks for silence half-way must not keep the others waiting for ever.
    .orderBy(asc(subscriptions.polledAt))
    .prepare(),
)

/** The sources that wait to be asked; a failing one only when its retry is due, unless `isImpatient`. */
export const pendingSources = Effect.fnUntraced(function* (provider: Provider, isImpatient: boolean) {
  const { db } = yield* Store
  const until = isImpatient ? Number.MAX_SAFE_INTEGER : yield* Clock.currentTimeMillis
  return selectPending(db).all({ provider, now: until })
})
