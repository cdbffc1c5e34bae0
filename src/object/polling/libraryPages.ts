import { Effect } from "effect"
import { ProviderUnavailable } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { Source } from "../../domain/subscription.ts"
import { nextKey, notAsked } from "../../providers/pages.ts"
import type { PageRequest, ProviderClient } from "../../providers/provider.ts"
import { Grants } from "../grants/Grants.ts"
import { Store } from "../Store.ts"
import * as statements from "./statements.ts"

/** Pages of a library (10,000 sources) after which the provider is not believed. */
const pagesAtMost = 200

interface ListedPage {
  readonly key: string
  readonly etag: string | null
  readonly next: string | null
  readonly size: number
  readonly total: number | null
  readonly sourceIds: ReadonlyArray<string>
  /** `null` when the page has not changed since it was saved. */
  readonly sources: ReadonlyArray<Source> | null
}

const savedPage = ({ rows }: Store["Service"], of: Provider, key: string): ListedPage | undefined => {
  const [row] = rows<statements.LibraryPageRow>(statements.selectPage, of, key)
  if (row === undefined) return undefined
  const { etag, nextKey, size, total, sourceIds } = row
  return { key, etag, next: nextKey, size, total, sourceIds: JSON.parse(sourceIds), sources: null }
}

/** Reads the library page by page. A page that has not changed since it was last read comes from memory. */
const readPages = Effect.fnUntraced(function* (
  client: ProviderClient,
  remembered: (key: string) => ListedPage | undefined,
) {
  const grants = yield* Grants
  const { provider } = client
  const pages: Array<ListedPage> = []
  const seen = new Set<string>()
  let key: string | null = null
  do {
    if (pages.length === pagesAtMost) {
      return yield* new ProviderUnavailable({ provider, reason: "its library has no end", retryAt: null })
    }
    const known = remembered(key ?? "")
    const request: PageRequest = { key, etag: known?.etag ?? null }
    const page = yield* grants.withToken(provider, (token) => client.library(token, request))
    const listed: ListedPage | undefined = page.isModified
      ? {
          key: key ?? "",
          etag: page.etag,
          next: page.next,
          size: page.size,
          total: page.total,
          sourceIds: page.entries.map(({ sourceId }) => sourceId),
          sources: page.entries,
        }
      : known
    if (listed === undefined) return yield* notAsked(provider)
    pages.push(listed)
    key = yield* nextKey(provider, listed, seen)
  } while (key !== null)
  return pages
})

const isReadable = ({ size, sourceIds }: ListedPage): boolean => size === sourceIds.length

/**
 * True when the pages hold as much as the provider says there is, by the same count on each of them. An entry that cannot be read may be
 * any source, and a page that another one leads to lists something. An empty library proves nothing unless its total is 0.
 */
const isComplete = (client: ProviderClient, pages: ReadonlyArray<ListedPage>): boolean => {
  const total = pages[0]?.total ?? null
  const isSteady = pages.every((page) => page.total === total)
  const hasHole = pages.slice(1).some(({ size }) => size === 0)
  if (!isSteady || !pages.every(isReadable) || hasHole) return false
  const listed = new Set(pages.flatMap(({ sourceIds }) => sourceIds)).size
  return client.isTotalExact ? total !== null && listed >= total : listed > 0 || total === 0
}

/**
 * Reads what the person follows now: the pages, the sources on those that have changed, and which of the known sources are `missing`.
 *
 * Entries that move between pages during the reading may be skipped, and a source taken for unfollowed loses everything known of it.
 * So when several pages lack a source, they are read once more (most are unchanged, which costs little), and only sources that both
 * readings lack are missing.
 */
export const readLibrary = Effect.fnUntraced(function* (client: ProviderClient) {
  const store = yield* Store
  const followed = store.rows<{ id: string }>(statements.selectFollowedIds, client.provider)
  const missingFrom = (pages: ReadonlyArray<ListedPage>) => {
    const listed = new Set(pages.flatMap(({ sourceIds }) => sourceIds))
    return new Set(followed.flatMap(({ id }) => (listed.has(id) ? [] : [id])))
  }
  const first = yield* readPages(client, (key) => savedPage(store, client.provider, key))
  const missingFirst = missingFrom(first)
  const byKey = new Map(first.map((page) => [page.key, page]))
  const isCertain = first.length === 1 || missingFirst.size === 0
  const pages = isCertain ? first : yield* readPages(client, (key) => byKey.get(key))
  const missingLast = missingFrom(pages)
  const sources = [...first, ...pages].flatMap((page) => page.sources ?? [])
  return {
    pages,
    isEmptied: followed.length > 0 && pages.every(({ size }) => size === 0),
    sources: new Map(sources.map((source) => [source.sourceId, source])).values().toArray(),
    missing: new Set(isComplete(client, pages) ? [...missingFirst].filter((id) => missingLast.has(id)) : []),
  }
})

/**
 * Saves the pages for the next reading. Most often all are unchanged, and there is nothing to save. A page with an entry that cannot be
 * read is not saved: it is to be sent again until it can.
 */
export const savePages = (store: Store["Service"], of: Provider, pages: ReadonlyArray<ListedPage>): void => {
  const readable = pages.filter(isReadable)
  if (readable.every(({ sources, etag }) => sources === null || etag === null)) return
  const kept = readable.filter(({ etag }) => etag !== null)
  store.exec(statements.deletePages, of, JSON.stringify(kept.map(({ key }) => key)))
  for (const { key, etag, next, size, total, sourceIds, sources } of kept) {
    // One that has not changed is there as it is.
    if (sources !== null) store.exec(statements.insertPage, of, key, etag, next, size, total, JSON.stringify(sourceIds))
  }
}
