import { eq } from "drizzle-orm"
import { items, libraryPages, subscriptions } from "../../../schema/object.ts"
import { pollInterval } from "../../domain/interval.ts"
import type { Provider } from "../../domain/provider.ts"
import { unreliableCount } from "../../domain/subscription.ts"
import type { HandedSource } from "../../rpc/move.ts"
import type { SettingsShape } from "../Settings.ts"
import type { ObjectDatabase } from "../Store.ts"

/** Items of one statement: SQLite in an object binds at most 100 parameters, and an item has 7 columns. */
const rowsAtOnce = 14

/** Providers that know a day and no time date an item up to so long before it appeared, in milliseconds. */
const dayMs = 24 * 3_600_000

/**
 * What lies before this and not above a known item was there before the legacy poller first looked: the oldest item that is in the
 * feed. `null`, so that everything is new, for a source that had no items when it was polled; one that had some, or of which nobody knows,
 * and of which none is in the feed, begins a day before it was polled.
 */
const archiveBefore = ({ known, polledAt, itemCount }: HandedSource): number | null => {
  if (polledAt === null) return null
  if (known.length > 0) return Math.min(...known.map(([, publishedAt]) => publishedAt))
  return itemCount === 0 ? null : polledAt - dayMs
}

/**
 * Puts the sources that the legacy poller polled in the place of whatever the object had of this provider, such that its first poll
 * goes on where that stopped: what is in the feed is known, a source whose count has not changed is not asked, one that was never
 * polled begins with a backfill. To be called inside the transaction in which the object comes to hold the account.
 */
export const adoptSources = (
  db: ObjectDatabase,
  settings: Pick<SettingsShape, "bounds" | "recheckMs">,
  provider: Provider,
  handed: ReadonlyArray<HandedSource>,
  now: number,
): void => {
  for (const table of [subscriptions, items, libraryPages]) db.delete(table).where(eq(table.provider, provider)).run()
  for (const source of handed) {
    if (source.provider !== provider) continue
    const { sourceId, title, url, imageUrl, followedAt, polledAt, known } = source
    const isCountUnreliable = source.itemCount === unreliableCount
    const itemCount = isCountUnreliable ? null : source.itemCount
    const published = known.map(([, publishedAt]) => publishedAt)
    const spread = 0.9 + Math.random() / 5
    db.insert(subscriptions)
      .values({
        provider,
        sourceId,
        title,
        url,
        imageUrl,
        followedAt,
        itemCount,
        listedCount: itemCount,
        isCountUnreliable,
        isPending: polledAt === null,
        recheckDueAt: polledAt === null ? now : polledAt + Math.round(settings.recheckMs * spread),
        intervalMs: pollInterval(published, now, settings.bounds),
        dueAt: now,
        polledAt,
        backfilledAt: polledAt,
        archiveBefore: archiveBefore({ ...source, itemCount }),
        publishedAt: published.length === 0 ? null : Math.max(...published),
      })
      .onConflictDoNothing()
      .run()
    const delivered = known.map(([itemId, at]) => ({
      ...{ provider, sourceId, itemId, publishedAt: at },
      ...{ seenAt: now, state: "delivered" },
    }))
    for (let from = 0; from < delivered.length; from += rowsAtOnce) {
      db.insert(items)
        .values(delivered.slice(from, from + rowsAtOnce))
        .onConflictDoNothing()
        .run()
    }
  }
}
