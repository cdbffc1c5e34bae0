import { Effect } from "effect"
import { ProviderUnavailable } from "../../domain/error.ts"
import type { ListedItem } from "../../domain/item.ts"
import { nextKey } from "../../providers/pages.ts"
import type { PageRequest, ProviderClient } from "../../providers/provider.ts"
import { Access } from "./Access.ts"

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
      return { listing: unchanged, hasMoved }
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
  return { listing, hasMoved }
})

/**
 * Reads a source's listing. An item added on top meanwhile only repeats an entry on the next page. A removed one makes the next page
 * skip an entry, which nobody would ask for again: then the listing is read anew.
 */
export const readListing = Effect.fnUntraced(function* (
  client: ProviderClient,
  sourceId: string,
  etag: string | null,
  isNextNeeded: IsNextNeeded,
) {
  let reading = yield* readOnce(client, sourceId, etag, isNextNeeded)
  for (let readings = 1; reading.hasMoved && readings < readingsAtMost; readings += 1) {
    reading = yield* readOnce(client, sourceId, null, isNextNeeded)
  }
  if (reading.hasMoved && client.isTotalExact) {
    const reason = "its listing moved whenever it was read"
    return yield* new ProviderUnavailable({ provider: client.provider, reason, retryAt: null })
  }
  return reading.listing
})
