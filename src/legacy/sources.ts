import { Array as Arr, Clock, Effect, Result } from "effect"
import { type DatabaseUnavailable, ProviderUnavailable } from "../domain/error.ts"
import type { ListedItem } from "../domain/item.ts"
import { isNextPageNeeded, isSoughtBelow, newItems } from "../domain/novelty.ts"
import { keyOf } from "../move/account.ts"
import { idsAtOnce } from "./BatchProcessor.ts"
import {
  type Ask,
  advanced,
  announced,
  archiveBefore,
  type Cursor,
  type Found,
  isBeforeFirst,
  unfound,
} from "./cursor.ts"
import type { Listing } from "./Listings.ts"
import type { Poll } from "./Poll.ts"
import { readKnown } from "./rows.ts"
import type { AskError } from "./TokenRefreshService.ts"

/** What a check of a source found for somebody, and the cursor after it. */
export interface Finding extends Found {
  readonly cursor: Cursor
}

/** Why a check of a source failed for somebody. */
export interface Failure {
  readonly ask: Ask
  readonly error: AskError
}

/** The check of a source for one follower: the listing as far as it was read, and which of its items are in their feed. */
interface Check {
  readonly ask: Ask
  readonly listing: Listing
  /** Pages whose items have been compared with the feed. */
  readonly pagesKnown: number
  readonly known: ReadonlySet<string>
}

const listedOf = ({ listing, pagesKnown }: Check) => listing.pages.slice(0, pagesKnown).flat()

const isFirstCheck = ({ ask, known }: Check): boolean => isBeforeFirst(ask) && known.size === 0

const freshOf = (check: Check, backfillItems: number): ReadonlyArray<ListedItem> => {
  const listed = listedOf(check)
  if (isFirstCheck(check)) return listed.slice(0, backfillItems)
  const known = listed.filter(({ itemId }) => check.known.has(itemId))
  return newItems(listed, check.known, archiveBefore(check.ask, known))
}

/** Tells what has to be read to be sure that no new item is missed; `null`: nothing. */
const missingOf = (check: Check, backfillItems: number): { readonly pages: number; readonly isOwn: boolean } | null => {
  const { ask, listing, pagesKnown, known } = check
  const isOwn = listing.askedBy === keyOf(ask.account)
  // An item that one person cannot play, another perhaps can.
  if (!isOwn && freshOf(check, backfillItems).some(({ availability }) => availability === "unplayable")) {
    return { pages: 1, isOwn: true }
  }
  if (isFirstCheck(check) || (listing.next === null && pagesKnown === listing.pages.length)) return null
  const pages = listing.pages.slice(0, pagesKnown)
  const knownItems = pages.flat().filter(({ itemId }) => known.has(itemId))
  const line = knownItems.length === 0 ? null : archiveBefore(ask, knownItems)
  const growth = announced(ask)
  const isNeeded =
    isNextPageNeeded(pages, known, line, growth) ||
    isSoughtBelow(pages, known, line, { growth, count: ask.source.itemCount, total: listing.total })
  return isNeeded ? { pages: pagesKnown + 1, isOwn } : null
}

/** Compares the pages read since with the feeds, in one statement unless they list thousands of items. */
const recognise = Effect.fnUntraced(function* (
  { database, processor: { provider } }: Poll,
  checks: ReadonlyArray<Check>,
) {
  const wanted = checks.map(({ ask, listing, pagesKnown }) => ({
    userId: ask.account.userId,
    ids: listing.pages.slice(pagesKnown).flatMap((page) => page.map(({ itemId }) => itemId)),
  }))
  const found = yield* readKnown(
    database,
    provider,
    wanted.filter(({ ids }) => ids.length > 0),
  )
  return checks.map((check): Check => {
    const known = new Set(check.known)
    const inFeed = found.get(check.ask.account.userId)
    for (const { itemId } of check.listing.pages.flat()) if (inFeed?.has(itemId)) known.add(itemId)
    return { ...check, known, pagesKnown: check.listing.pages.length }
  })
})

/** Completes new items with what listings lack, 50 at once, whoever follows them. Returns why items could not be completed, by id. */
const complete = Effect.fnUntraced(function* (poll: Poll, checks: ReadonlyArray<Check>) {
  const { withToken, settings } = poll
  const { describe } = poll.processor.client
  const failed = new Map<string, AskError>()
  if (describe === null) return failed
  const wanted = new Map<string, { readonly check: Check; readonly item: ListedItem }>()
  for (const check of checks) {
    for (const item of freshOf(check, settings.backfillItems)) {
      if (!check.listing.described.has(item.itemId)) wanted.set(item.itemId, { check, item })
    }
  }
  yield* Effect.forEach(
    Arr.chunksOf([...wanted.values()], idsAtOnce),
    Effect.fnUntraced(function* (chunk) {
      const [first] = chunk
      if (first === undefined) return
      const items = chunk.map(({ item }) => item)
      const completed = yield* Effect.result(withToken(first.check.ask.account, (token) => describe(token, items)))
      chunk.forEach(({ check, item }, index) => {
        if (Result.isFailure(completed)) failed.set(item.itemId, completed.failure)
        else check.listing.described.set(item.itemId, completed.success[index] ?? item)
      })
    }),
    { concurrency: settings.concurrency, discard: true },
  )
  return failed
})

/** The finding for a source of which nothing is listed, such as one that the provider does not have: its count tells when that changes. */
const nothingFound = (ask: Ask, now: number, { isEmpty }: { readonly isEmpty: boolean }): Finding => ({
  ask,
  isFirst: false,
  fresh: [],
  total: null,
  cursor: unfound(ask, now, { isEmpty }),
})

/**
 * Asks sources for new items: each source once, however many follow it, and page after page until a known item is listed. A failure
 * concerns one follower, and leaves their cursor where it is.
 */
export const askSources = Effect.fn("legacy.askSources")(function* (
  poll: Poll,
  asks: ReadonlyArray<Ask>,
): Effect.fn.Return<
  { readonly findings: ReadonlyArray<Finding>; readonly failures: ReadonlyArray<Failure> },
  DatabaseUnavailable
> {
  const { settings, read, processor } = poll
  const failures: Array<Failure> = []
  const findings: Array<Finding> = []
  const done: Array<Check> = []
  let reading = asks.map((ask) => ({ ask, pages: 1, isOwn: false, check: undefined as Check | undefined }))
  while (reading.length > 0) {
    const answers = yield* Effect.forEach(
      reading,
      ({ ask, pages, isOwn }) => Effect.result(read(ask.account, ask.source, { pages, isOwn })),
      { concurrency: settings.concurrency },
    )
    const now = yield* Clock.currentTimeMillis
    const checks = reading.flatMap(({ ask, check }, index): ReadonlyArray<Check> => {
      const answer = answers[index]
      if (answer === undefined) return []
      if (Result.isSuccess(answer)) {
        const listing = answer.success
        const isSame = check?.listing === listing
        return [{ ask, listing, known: check?.known ?? new Set(), pagesKnown: isSame ? check.pagesKnown : 0 }]
      }
      const error = answer.failure
      if (error._tag === "SourceMissing") findings.push(nothingFound(ask, now, { isEmpty: error.state === "empty" }))
      else failures.push({ ask, error })
      return []
    })
    reading = (yield* recognise(poll, checks)).flatMap((check) => {
      const missing = missingOf(check, settings.backfillItems)
      if (missing === null) done.push(check)
      return missing === null ? [] : [{ ...missing, ask: check.ask, check }]
    })
  }
  const undescribed = yield* complete(poll, done)
  const now = yield* Clock.currentTimeMillis
  for (const check of done) {
    const { ask, listing } = check
    const isEmpty = listing.size === 0
    const count = ask.source.itemCount ?? 0
    if (isEmpty && count > 0) {
      const reason = `a listing is empty, though it counts ${count} items`
      failures.push({ ask, error: new ProviderUnavailable({ provider: processor.provider, reason, retryAt: null }) })
      continue
    }
    if (isFirstCheck(check) && listing.pages.every((page) => page.length === 0)) {
      findings.push(nothingFound(ask, now, { isEmpty }))
      continue
    }
    const listed = freshOf(check, settings.backfillItems)
    const error = listed.map(({ itemId }) => undescribed.get(itemId)).find((reason) => reason !== undefined)
    if (error !== undefined) {
      failures.push({ ask, error })
      continue
    }
    const fresh = listed.map((item) => listing.described.get(item.itemId) ?? item)
    const found = {
      ask,
      isFirst: isFirstCheck(check),
      fresh,
      total: processor.client.isTotalExact ? listing.total : null,
    }
    findings.push({ ...found, cursor: advanced(found, now, settings.recheckMs) })
  }
  return { findings, failures }
})
