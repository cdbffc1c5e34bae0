import { Effect } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Source } from "../domain/subscription.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import { nextKey, notAsked } from "../providers/pages.ts"
import type { Page } from "../providers/provider.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"
import type { Follow } from "./rows.ts"
import type { TokenRefreshService } from "./TokenRefreshService.ts"

/** Pages of a library (10,000 sources) after which the provider is not believed. */
const pagesAtMost = 200

/** How long a library has to list nothing until that is believed, in milliseconds: the shortest time between two polls, unless set. */
const emptyForMs = 15 * 60_000

/** What a person follows now. */
export interface Library {
  readonly sources: ReadonlyArray<Source>
  /** True when the listing adds up: only then are sources that it lacks no longer followed. */
  readonly isComplete: boolean
}

type WithToken = TokenRefreshService["Service"]["withToken"]
type Follows = ReadonlyMap<string, Follow>

const readPage = Effect.fnUntraced(function* (
  { client }: BatchProcessor,
  withToken: WithToken,
  account: AccountKey,
  key: string | null,
) {
  const page = yield* withToken(account, (token) => client.library(token, { key, etag: null }))
  if (page.isModified) return page
  // Without an entity tag there is no "not modified".
  return yield* notAsked(client.provider)
})

/** Reads the library from its first page on. Sources that move between pages during the reading make it not add up. */
export const readWhole = Effect.fn("legacy.readWhole")(function* (
  processor: BatchProcessor,
  withToken: WithToken,
  account: AccountKey,
  first: Page<Source>,
) {
  const { provider, isTotalExact } = processor.client
  const pages = [first]
  const seen = new Set<string>()
  let next = yield* nextKey(provider, first, seen)
  while (next !== null) {
    if (pages.length === pagesAtMost) {
      return yield* new ProviderUnavailable({ provider, reason: "its library has no end", retryAt: null })
    }
    const page = yield* readPage(processor, withToken, account, next)
    pages.push(page)
    next = yield* nextKey(provider, page, seen)
  }
  const { total } = first
  const sources = pages.flatMap(({ entries }) => entries)
  // An entry that cannot be read may be any source, and a page that another one leads to lists something.
  const isComplete =
    pages.every((page) => page.total === total && page.unreadable === 0) &&
    pages.slice(1).every(({ size }) => size > 0) &&
    new Set(sources.map(({ sourceId }) => sourceId)).size === sources.length &&
    (isTotalExact ? total !== null && sources.length >= total : sources.length > 0 || total === 0)
  return { sources, isComplete } satisfies Library
})

/** The first page of somebody's library, and which of their sources lie beyond it, if that can be told without reading on. */
export interface FirstPage {
  readonly account: AccountKey
  readonly follows: Follows
  readonly page: Page<Source>
  /** `null`: the pages after it have to be read. */
  readonly beyond: ReadonlyArray<string> | null
}

/**
 * Reads the first page of a library. The newest follows come first: when it names no new source and the library is as large as it is
 * known to be, the rest is as it was, and only the item counts are missing.
 */
export const readFirst = Effect.fn("legacy.readFirst")(function* (
  processor: BatchProcessor,
  withToken: WithToken,
  account: AccountKey,
  follows: Follows,
) {
  const page = yield* readPage(processor, withToken, account, null)
  const named = new Set(page.entries.map(({ sourceId }) => sourceId))
  const isAsKnown =
    processor.counts !== null &&
    page.next !== null &&
    page.total === follows.size &&
    [...named].every((id) => follows.has(id))
  const rest = [...follows.keys()].filter((id) => !named.has(id))
  // A comma parts the ids that counts are asked for by.
  const beyond = isAsKnown && !rest.some((id) => id.includes(",")) ? rest : null
  const first: FirstPage = { account, follows, page, beyond }
  return first
})

/** Completes a library of which only the first page was read with the counts of the sources beyond it. */
export const completed = (
  { page, follows }: FirstPage,
  beyond: ReadonlyArray<string>,
  counts: ReadonlyMap<string, number | null>,
): Library => {
  const rest = beyond.flatMap((id): ReadonlyArray<Source> => {
    const follow = follows.get(id)
    if (follow === undefined) return []
    // A source that the provider no longer has is left as it is.
    return [{ ...follow, itemCount: counts.get(id) ?? follow.itemCount }]
  })
  return { sources: [...page.entries, ...rest], isComplete: true }
}

/** Since when libraries have listed nothing although something is followed, by {@link keyOf}: epoch milliseconds. */
export type Emptied = Map<string, number>

/**
 * Tells whether the sources that a library lacks are no longer followed. One that lists nothing has to do so for a while: it has been
 * empty in passing, and whoever believes it drops the cursors of everything that is followed.
 */
export const isBelieved = (
  emptied: Emptied,
  account: AccountKey,
  { sources, isComplete }: Library,
  { follows, now }: { readonly follows: Follows; readonly now: number },
): boolean => {
  const key = keyOf(account)
  if (sources.length > 0 || follows.size === 0) {
    emptied.delete(key)
    return isComplete
  }
  if (!isComplete) return false
  const since = emptied.get(key) ?? now
  if (now - since < emptyForMs) {
    emptied.set(key, since)
    return false
  }
  emptied.delete(key)
  return true
}
