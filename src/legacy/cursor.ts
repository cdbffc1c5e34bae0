import { isDeliverable, type ListedItem } from "../domain/item.ts"
import { bucketOf, buckets } from "../domain/rollout.ts"
import type { Source } from "../domain/subscription.ts"
import type { AccountKey } from "../move/account.ts"

// How far the central poller has come with a source that somebody follows, as user_subscriptions keeps it. Pure.

/** An item count that tells nothing of a source: it has been found to publish without the count going up. */
const unreliable = -1

/** How long an item that cannot be played yet is waited for, in milliseconds. */
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
 * Whether a source has to be asked: its count has changed, tells nothing, or has stood still for `recheckMs`, which proves nothing
 * either. Sources that were first asked together are verified apart.
 */
export const isToBeAsked = ({ polledAt, itemCount, source }: Ask, now: number, recheckMs: number): boolean =>
  polledAt === null ||
  source.itemCount === null ||
  source.itemCount !== itemCount ||
  now - polledAt >= recheckMs * (0.5 + bucketOf(source.sourceId) / buckets / 2)

/** How many new items the counts announce. */
export const announced = ({ source, itemCount }: Ask): number =>
  itemCount === null || itemCount === unreliable ? 0 : Math.max(0, (source.itemCount ?? 0) - itemCount)

/**
 * The date up to which what lies below the last known item is archive, that the first poll left out; `null`: nothing was left out.
 * Where nothing known is listed any more the last poll decides, two days early: many dates have no time of day.
 */
export const archiveBefore = ({ polledAt, itemCount }: Ask, known: ReadonlyArray<ListedItem>): number | null => {
  if (known.length > 0) return Math.min(...known.map(({ publishedAt }) => publishedAt))
  return itemCount === 0 || polledAt === null ? null : polledAt - 2 * 86_400_000
}

const isAwaited = ({ availability, publishedAt }: ListedItem, now: number): boolean =>
  (availability === "upcoming" || availability === "unplayable") && now - publishedAt < waitedForMs

/** What one look at a source brought somebody. */
export interface Found {
  readonly ask: Ask
  readonly isFirst: boolean
  /** Everything new, whether it can be played or not. */
  readonly fresh: ReadonlyArray<ListedItem>
  /** How many items the listing has in all; `null` where that is not known. */
  readonly total: number | null
}

/**
 * The cursor after a look. It counts without the items that cannot be played yet, so that the source is asked again until they
 * can. A count that went up before its item was listed moves nothing for as long as a count may stand still.
 */
export const advanced = ({ ask, isFirst, fresh, total }: Found, now: number, recheckMs: number): Cursor => {
  const { source, polledAt, itemCount } = ask
  const listed = source.itemCount
  const isLate = !isFirst && fresh.length === 0 && announced(ask) > 0 && total !== listed
  if (isLate && polledAt !== null && now - polledAt < recheckMs) return { polledAt, itemCount }
  if (listed === null) return { polledAt: now, itemCount: null }
  const isUnannounced = !isFirst && itemCount === listed && fresh.some(isDeliverable)
  const isUnreliable = itemCount === unreliable || isUnannounced
  return {
    polledAt: now,
    itemCount: isUnreliable ? unreliable : Math.max(0, listed - fresh.filter((item) => isAwaited(item, now)).length),
  }
}
