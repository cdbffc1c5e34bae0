import type { Item } from "../domain/item.ts"
import type { Provider } from "../domain/provider.ts"
import type { SourceDetails } from "../domain/subscription.ts"

// Rows on their way to D1, as JSON. They have the names of D1's columns, so that `externalId` is an item's id in one table and a
// source's in another. Objects keep them in their outbox, where a deployment or the rollback of one finds them: these names stay.

interface FeedEntry {
  /** Whether the item was there before the person's first poll of its source. */
  readonly isBackfill: boolean
  /** Epoch milliseconds. */
  readonly at: number
}

/** An item, and its place in somebody's feed. */
export const itemRow = ({ itemId, ...item }: Item, entry: FeedEntry) => ({ externalId: itemId, ...item, ...entry })

/** What is shown of a source. `at`: epoch milliseconds; an older row never replaces a newer one. */
export const sourceRow = (
  provider: Provider,
  sourceId: string,
  { title, url, imageUrl }: SourceDetails,
  at: number,
) => ({
  provider,
  externalId: sourceId,
  title,
  url,
  imageUrl,
  at,
})

/** A source that somebody has begun to follow. */
export const followRow = (provider: Provider, sourceId: string, at: number) => ({ provider, externalId: sourceId, at })

/** A source that somebody no longer follows. */
export const unfollowRow = (provider: Provider, sourceId: string) => ({ provider, externalId: sourceId })
