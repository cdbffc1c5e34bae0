import { isDeliverable, type ListedItem } from "../domain/item.ts"
import { bucketOf, buckets } from "../domain/rollout.ts"
import { type Source, unreliableCount } from "../domain/subscription.ts"
import type { AccountKey } from "../move/account.ts"

// The legacy poller's cursor of a source that somebody follows, as user_subscriptions keeps it. Pure.

/**
 * Stands, below {@link unreliableCount}, for the item count of a source of which nothing has been listed yet: its next check is still the first,
 * and need not be made before the count changes or a recheck is due.
 */
const unlisted = (count: number): number => unreliableCount - 1 - count

const isUnlisted = ({ itemCount }: Pick<Cursor, "itemCount">): boolean =>
  itemCount !== null && itemCount < unreliableCount

/** True until a check has listed something, or the source is known to have had nothing to list. */
export const isBeforeFirst = (cursor: Cursor): boolean => cursor.polledAt === null || isUnlisted(cursor)

/** Time for which an item that cannot be played yet is waited for, in milliseconds. */
const waitedForMs = 30 * 86_400_000

export interface Cursor {
  /** When the source was last asked with success, in epoch milliseconds; `null`: never. */
  readonly polledAt: number | null
  /** The item count that the library showed then, less those items that could not be played yet. */
  readonly itemCount: number | null
}

/** A source that has to be asked for items on somebody's behalf. */
export interface Ask extends Cursor {
  readonly account: AccountKey
  readonly source: Source
}

/**
 * Tells whether a source has to be asked: its count has changed or cannot be relied on, or it is due for a recheck since the count has
 * stood still for `recheckMs`. Sources that were first asked together are rechecked apart.
 */
export const isToBeAsked = ({ polledAt, itemCount, source }: Ask, now: number, recheckMs: number): boolean =>
  polledAt === null ||
  source.itemCount === null ||
  (source.itemCount !== itemCount && unlisted(source.itemCount) !== itemCount) ||
  now - polledAt >= recheckMs * (0.5 + bucketOf(source.sourceId) / buckets / 2)

/** Number of new items that the counts announce. */
export const announced = ({ source, itemCount }: Ask): number =>
  itemCount === null || itemCount <= unreliableCount ? 0 : Math.max(0, (source.itemCount ?? 0) - itemCount)

/**
 * The date up to which items below the last known one are archive, which the first poll left out; `null`: nothing was left out. When
 * no known item is listed any more, the last poll decides, two days early: many dates have no time of day.
 */
export const archiveBefore = ({ polledAt, itemCount }: Ask, known: ReadonlyArray<ListedItem>): number | null => {
  if (known.length > 0) return Math.min(...known.map(({ publishedAt }) => publishedAt))
  return itemCount === 0 || polledAt === null ? null : polledAt - 2 * 86_400_000
}

const isAwaited = ({ availability, publishedAt }: ListedItem, now: number): boolean =>
  (availability === "upcoming" || availability === "unplayable") && now - publishedAt < waitedForMs

/** The cursor after a check that could list nothing of a source. Its library says whether there was anything to list. */
export const unfound = (ask: Ask, now: number, { isEmpty }: { readonly isEmpty: boolean }): Cursor => {
  const { itemCount } = ask.source
  if (!isBeforeFirst(ask) || (isEmpty && itemCount === 0)) return { polledAt: now, itemCount }
  return itemCount === null ? { polledAt: null, itemCount } : { polledAt: now, itemCount: unlisted(itemCount) }
}

/** What one check of a source found for somebody. */
export interface Found {
  readonly ask: Ask
  readonly isFirst: boolean
  /** Everything new, whether it can be played or not. */
  readonly fresh: ReadonlyArray<ListedItem>
  /** How many items the listing has in all; `null` where that is not known. */
  readonly total: number | null
}

/**
 * The cursor after a check. It leaves out items that cannot be played yet, so that the source is asked again until they can. A count
 * that went up before its item was listed moves nothing for as long as a count may stand still.
 */
export const advanced = ({ ask, isFirst, fresh, total }: Found, now: number, recheckMs: number): Cursor => {
  const { source, polledAt, itemCount } = ask
  const listed = source.itemCount
  const isLate = !isFirst && fresh.length === 0 && announced(ask) > 0 && total !== listed
  if (isLate && polledAt !== null && now - polledAt < recheckMs) return { polledAt, itemCount }
  if (listed === null) return { polledAt: now, itemCount: null }
  const isUnannounced = !isFirst && itemCount === listed && fresh.some(isDeliverable)
  const isUnreliable = itemCount === unreliableCount || isUnannounced
  return {
    polledAt: now,
    itemCount: isUnreliable
      ? unreliableCount
      : Math.max(0, listed - fresh.filter((item) => isAwaited(item, now)).length),
  }
}
