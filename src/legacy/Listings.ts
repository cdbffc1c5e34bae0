import { Effect, Semaphore } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { ListedItem } from "../domain/item.ts"
import type { Source } from "../domain/subscription.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import type { SourceMissing } from "../providers/error.ts"
import { nextKey, notAsked } from "../providers/pages.ts"
import type { ProviderClient } from "../providers/provider.ts"
import type { AskError, TokenRefreshService } from "./TokenRefreshService.ts"

/** Listings kept at once. */
const listingsKept = 400

/**
 * Text of the listings kept at once, in UTF-16 code units: 20 MB at two bytes each, of the 128 MB that a worker has, for each provider.
 * YouTube allows a description of 5,000, so that 400 listings could be ten times as much.
 */
const textKept = 10_000_000

/** Pages (10,000 items since the last check) after which the provider is not believed. */
const pagesAtMost = 200

/** Readings of a listing that keeps moving. */
const readingsAtMost = 3

/** The items that a source lists, newest first. Grows by pages. */
export interface Listing {
  readonly sourceId: string
  /** The item count that the library showed to whoever asked: the listing is at least as new as that. */
  readonly count: number | null
  /** Whose token was used: people differ in what they can play. */
  readonly askedBy: string
  readonly pages: Array<ReadonlyArray<ListedItem>>
  next: string | null
  /** Keys of the pages read and of the next. */
  readonly keys: Set<string>
  /** Length of the titles and descriptions on the pages, in UTF-16 code units. */
  text: number
  /** Number of entries on the pages, unreadable ones included. */
  size: number
  /** Number of items in all, as the provider last said. */
  total: number | null
  /** True when an item was removed during the reading, so that the one after it may have been skipped. */
  hasMoved: boolean
  /** Why it cannot be read on, whoever asks. */
  failure: SourceMissing | ProviderUnavailable | null
  /** Items as completed by `describe`, by id. */
  readonly described: Map<string, ListedItem>
  readonly alone: Semaphore.Semaphore
}

interface Wanted {
  /** Pages to read, if there are as many. */
  readonly pages: number
  /** Leaves out a listing that was read with somebody else's token. */
  readonly isOwn: boolean
}

/** Reads the listing of a source, or takes the one that the run has. */
export type ReadListing = (account: AccountKey, source: Source, wanted: Wanted) => Effect.Effect<Listing, AskError>

/**
 * Keeps the listings of a run, so that a source that many follow is asked once. A follower whose library shows another item count gets
 * a new listing: the old one could miss what was published in between.
 */
export const makeListings = (
  client: Pick<ProviderClient, "provider" | "isTotalExact" | "items">,
  withToken: TokenRefreshService["Service"]["withToken"],
): ReadListing => {
  const kept = new Map<string, Listing>()
  let text = 0
  const drop = (sourceId: string) => {
    text -= kept.get(sourceId)?.text ?? 0
    kept.delete(sourceId)
  }
  const dropOldest = () => {
    for (const sourceId of kept.keys()) {
      if (kept.size <= listingsKept && text <= textKept) return
      drop(sourceId)
    }
  }
  const unavailable = (reason: string) => new ProviderUnavailable({ provider: client.provider, reason, retryAt: null })

  const find = (account: AccountKey, { sourceId, itemCount: count }: Source, { isOwn }: Wanted): Listing => {
    const known = kept.get(sourceId)
    const askedBy = keyOf(account)
    const isFitting = known !== undefined && known.count === count && (!isOwn || known.askedBy === askedBy)
    const listing: Listing = isFitting
      ? known
      : {
          sourceId,
          count,
          askedBy,
          pages: [],
          next: null,
          keys: new Set(),
          text: 0,
          size: 0,
          total: null,
          hasMoved: false,
          failure: null,
          described: new Map(),
          alone: Semaphore.makeUnsafe(1),
        }
    // The one used last is the last to go.
    drop(sourceId)
    kept.set(sourceId, listing)
    text += listing.text
    dropOldest()
    return listing
  }

  const grow = Effect.fnUntraced(function* (listing: Listing, account: AccountKey, pages: number) {
    if (listing.failure !== null) return yield* listing.failure
    if (pages > pagesAtMost) return yield* unavailable("its listing has no end")
    while (listing.pages.length === 0 || (listing.pages.length < pages && listing.next !== null)) {
      const request = { key: listing.next, etag: null }
      const page = yield* withToken(account, (token) => client.items(token, listing.sourceId, request)).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error._tag === "SourceMissing") listing.failure = error
          }),
        ),
      )
      // Without an entity tag there is no "not modified".
      if (!page.isModified) return yield* notAsked(client.provider)
      if (listing.total !== null && page.total !== null && page.total < listing.total) listing.hasMoved = true
      listing.total = page.total
      const entries = page.entries.filter(({ availability }) => availability !== "withheld")
      listing.pages.push(entries)
      const more = entries.reduce((sum, { title, description }) => sum + title.length + description.length, 0)
      listing.text += more
      if (kept.get(listing.sourceId) === listing) text += more
      listing.size += page.size
      listing.next = yield* nextKey(client.provider, page, listing.keys).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            listing.failure = error
          }),
        ),
      )
    }
  })

  const read = Effect.fnUntraced(function* (account: AccountKey, source: Source, wanted: Wanted) {
    for (let readings = 1; ; readings += 1) {
      const listing = find(account, source, wanted)
      yield* listing.alone.withPermit(grow(listing, account, wanted.pages))
      dropOldest()
      if (!listing.hasMoved) return listing
      // Nobody would ask again for what was skipped: the listing is read anew, also for those who have it already.
      if (kept.get(listing.sourceId) === listing) drop(listing.sourceId)
      if (readings < readingsAtMost) continue
      if (!client.isTotalExact) return listing
      return yield* unavailable("its listing moved whenever it was read")
    }
  })

  return read
}
