import { Effect } from "effect"
import type { Source } from "../domain/subscription.ts"
import type { AccountKey } from "../move/account.ts"
import type { Page } from "../providers/provider.ts"
import type { BatchProcessor } from "./BatchProcessor.ts"
import type { Follow } from "./rows.ts"
import type { TokenRefreshService } from "./TokenRefreshService.ts"

/** Pages of a library (10,000 sources) after which the provider is not believed. */
const pagesAtMost = 200

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
  const nothing: Page<Source> = { isModified: true, entries: [], etag: null, next: null, size: 0, total: null }
  return nothing
})

/** Reads the library from its first page on. Sources that move between pages during the reading make it not add up. */
export const readWhole = Effect.fn("legacy.readWhole")(function* (
  processor: BatchProcessor,
  withToken: WithToken,
  account: AccountKey,
  first: Page<Source>,
) {
  const pages = [first]
  let next = first.next
  while (next !== null && pages.length < pagesAtMost) {
    const page = yield* readPage(processor, withToken, account, next)
    pages.push(page)
    next = page.next
  }
  const { total } = first
  const sources = pages.flatMap(({ entries }) => entries)
  const listed = pages.reduce((sum, { size }) => sum + size, 0)
  const isComplete =
    next === null &&
    pages.every((page) => page.total === total) &&
    new Set(sources.map(({ sourceId }) => sourceId)).size === sources.length &&
    (processor.client.isTotalExact ? listed >= (total ?? 0) : listed > 0 || !total)
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
  const beyond = isAsKnown ? [...follows.keys()].filter((id) => !named.has(id)) : null
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
