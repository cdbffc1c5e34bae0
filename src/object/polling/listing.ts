import { Clock, Effect } from "effect"
import { ProviderUnavailable } from "../../domain/error.ts"
import { bounded, type ListedItem } from "../../domain/item.ts"
import { nextKey } from "../../providers/pages.ts"
import type { PageRequest, ProviderClient } from "../../providers/provider.ts"
import { Access } from "./Access.ts"
import { Hubs } from "./Hubs.ts"

/** Pages (10,000 items since the last check) after which the provider is not believed. */
const pagesAtMost = 200

/** Readings of a listing that keeps moving. */
const readingsAtMost = 3

/** Items of a source as listed, newest first: as many pages as were needed. */
export interface Listing {
  /** Entity tag of the first page. */
  readonly etag: string | null
  readonly pages: ReadonlyArray<ReadonlyArray<ListedItem>>
  /** Whether the last page read was the last there is. */
  readonly isWhole: boolean
  /** Number of entries on the pages, and how many of them cannot be read. */
  readonly size: number
  readonly unreadable: number
  /** True when the entity tag says that the first page is as it was: nothing has been read. */
  readonly isUnchanged: boolean
}

/** Tells from the pages read so far, and the number of items that the provider counts, whether another is needed. */
type IsNextNeeded = (pages: Listing["pages"], total: number | null) => boolean

/** Leaves out private and deleted items, which are listed too. */
const visible = (entries: ReadonlyArray<ListedItem>) =>
  entries.filter(({ availability }) => availability !== "withheld")

/** Reads pages for as long as they are needed. `hasMoved`: an item was removed meanwhile, so the one after it may have been skipped. */
const readOnce = Effect.fnUntraced(function* (
  client: ProviderClient,
  sourceId: string,
  firstEtag: string | null,
  isNextNeeded: IsNextNeeded,
) {
  const { withToken } = yield* Access
  const { provider } = client
  const pages: Array<ReadonlyArray<ListedItem>> = []
  const seen = new Set<string>()
  let size = 0
  let unreadable = 0
  let etag: string | null = null
  let next: string | null = null
  let total: number | null = null
  let hasMoved = false
  do {
    if (pages.length === pagesAtMost) {
      return yield* new ProviderUnavailable({ provider, reason: "its listing has no end", retryAt: null })
    }
    const request: PageRequest = { key: next, etag: next === null ? firstEtag : null }
    const page = yield* withToken(provider, (token) => client.items(token, sourceId, request))
    if (!page.isModified) {
      const unchanged: Listing = { etag: firstEtag, pages, isWhole: false, size, unreadable, isUnchanged: true }
      return { listing: unchanged, hasMoved, total }
    }
    if (pages.length === 0) etag = page.etag
    if (total !== null && page.total !== null && page.total < total) hasMoved = true
    total = page.total
    pages.push(visible(page.entries))
    size += page.size
    unreadable += page.unreadable
    next = yield* nextKey(provider, page, seen)
  } while (next !== null && isNextNeeded(pages, total))
  const listing: Listing = { etag, pages, isWhole: next === null, size, unreadable, isUnchanged: false }
  return { listing, hasMoved, total }
})

/** Items of a listing that others may have. */
const itemsShared = 20

/** How a listing that somebody else has read may be used. */
export interface Sharing {
  /** Read after this, in epoch milliseconds. */
  readonly after: number
  /** Whether it tells enough: `isNextNeeded` is about its items alone. */
  readonly isUsable: (items: ReadonlyArray<ListedItem>, total: number) => boolean
}

/** Finds what somebody else has read of a source, if that is enough. */
const findShared = Effect.fnUntraced(function* (
  { provider }: ProviderClient,
  sourceId: string,
  isNextNeeded: IsNextNeeded,
  { after, isUsable }: Sharing,
) {
  const shared = yield* (yield* Hubs).findListing(provider, sourceId, after)
  if (shared === null || !isUsable(shared.items, shared.total)) return null
  const { items, total, isWhole } = shared
  const pages = [visible(items)]
  if (!isWhole && isNextNeeded(pages, total)) return null
  return { etag: null, pages, isWhole, size: items.length, unreadable: 0, isUnchanged: false } satisfies Listing
})

/** Lets others have the top of a listing, if all of it could be read. */
const share = Effect.fnUntraced(function* (
  { provider }: ProviderClient,
  sourceId: string,
  { pages, isWhole, isUnchanged, unreadable }: Listing,
  total: number | null,
) {
  const [first] = pages
  if (first === undefined || isUnchanged || unreadable > 0 || total === null) return
  const items = first.slice(0, itemsShared).map(bounded)
  const readAt = yield* Clock.currentTimeMillis
  yield* (yield* Hubs).shareListing(provider, sourceId, {
    ...{ items, total, readAt },
    isWhole: isWhole && pages.length === 1 && items.length === first.length,
  })
})

/**
 * Reads a source's listing, or takes what somebody else has read. An item added on top meanwhile only repeats an entry on the next page. A removed one makes the next page
 * skip an entry, which nobody would ask for again: then the listing is read anew.
 */
export const readListing = Effect.fnUntraced(function* (
  client: ProviderClient,
  sourceId: string,
  etag: string | null,
  isNextNeeded: IsNextNeeded,
  sharing: Sharing | null,
) {
  const shared = sharing === null ? null : yield* findShared(client, sourceId, isNextNeeded, sharing)
  if (shared !== null) return shared
  let reading = yield* readOnce(client, sourceId, etag, isNextNeeded)
  for (let readings = 1; reading.hasMoved && readings < readingsAtMost; readings += 1) {
    reading = yield* readOnce(client, sourceId, null, isNextNeeded)
  }
  if (reading.hasMoved && client.isTotalExact) {
    const reason = "its listing moved whenever it was read"
    return yield* new ProviderUnavailable({ provider: client.provider, reason, retryAt: null })
  }
  yield* share(client, sourceId, reading.listing, reading.total)
  return reading.listing
})
