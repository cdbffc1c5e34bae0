import { Effect, Semaphore } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { ListedItem } from "../domain/item.ts"
import type { Source } from "../domain/subscription.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import type { SourceMissing } from "../providers/error.ts"
import type { ProviderClient } from "../providers/provider.ts"
import type { AskError, TokenRefreshService } from "./TokenRefreshService.ts"

/** Listings kept at once: at 50 items of about 1 KB each far below the 128 MB that a worker has. */
const listingsKept = 400

/** More pages than this, 10,000 items since the last look, is a provider gone mad. */
const pagesAtMost = 200

/** How often a listing is read anew because it moved meanwhile. */
const readingsAtMost = 3

/** What a source was found to list. Grows by pages; the newest come first. */
export interface Listing {
  readonly sourceId: string
  /** The item count that the library showed to whoever asked: the listing is at least as new as that. */
  readonly count: number | null
  /** By whose token: what can be played may differ from person to person. */
  readonly askedBy: string
  readonly pages: Array<ReadonlyArray<ListedItem>>
  next: string | null
  /** How many items there are in all, as the provider last said. */
  total: number | null
  /** Whether something was taken away while it was read, so that what followed may have been skipped. */
  hasMoved: boolean
  missing: SourceMissing | null
  /** Items as completed by `describe`, by id. */
  readonly described: Map<string, ListedItem>
  readonly alone: Semaphore.Semaphore
}

/** The listing of a source with so many pages, or as many as there are. `isOwn`: not one made with somebody else's token. */
export type ReadListing = (
  account: AccountKey,
  source: Source,
  pages: number,
  isOwn: boolean,
) => Effect.Effect<Listing, AskError>

/**
 * The listings of a run, so that a source that many follow is asked once. Whoever has seen another item count than the listing was
 * made for gets a new one: theirs could miss what was published in between.
 */
export const makeListings = (
  client: ProviderClient,
  withToken: TokenRefreshService["Service"]["withToken"],
): ReadListing => {
  const kept = new Map<string, Listing>()
  const unavailable = (reason: string) => new ProviderUnavailable({ provider: client.provider, reason, retryAt: null })

  const find = (account: AccountKey, { sourceId, itemCount: count }: Source, isOwn: boolean): Listing => {
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
          total: null,
          hasMoved: false,
          missing: null,
          described: new Map(),
          alone: Semaphore.makeUnsafe(1),
        }
    // The one used last is the last to go.
    kept.delete(sourceId)
    kept.set(sourceId, listing)
    const [oldest] = kept.keys()
    if (kept.size > listingsKept && oldest !== undefined) kept.delete(oldest)
    return listing
  }

  const grow = Effect.fnUntraced(function* (listing: Listing, account: AccountKey, pages: number) {
    if (listing.missing !== null) return yield* listing.missing
    if (pages > pagesAtMost) return yield* unavailable("its listing has no end")
    while (listing.pages.length === 0 || (listing.pages.length < pages && listing.next !== null)) {
      const request = { key: listing.next, etag: null }
      const page = yield* withToken(account, (token) => client.items(token, listing.sourceId, request)).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (error._tag === "SourceMissing") listing.missing = error
          }),
        ),
      )
      // Without an entity tag there is no "not modified".
      if (!page.isModified) return
      if (listing.total !== null && page.total !== null && page.total < listing.total) listing.hasMoved = true
      listing.total = page.total
      listing.pages.push(page.entries.filter(({ availability }) => availability !== "withheld"))
      listing.next = page.next
    }
  })

  const read = Effect.fnUntraced(function* (account: AccountKey, source: Source, pages: number, isOwn: boolean) {
    for (let readings = 1; ; readings += 1) {
      const listing = find(account, source, isOwn)
      yield* listing.alone.withPermit(grow(listing, account, pages))
      if (!listing.hasMoved) return listing
      // Nobody would ever ask again for what was skipped: the listing is read anew, by whoever else has it too.
      if (kept.get(listing.sourceId) === listing) kept.delete(listing.sourceId)
      if (readings < readingsAtMost) continue
      if (!client.isTotalExact) return listing
      return yield* unavailable("its listing moved whenever it was read")
    }
  })

  return read
}
