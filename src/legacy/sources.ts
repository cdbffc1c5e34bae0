import { Array as Arr, Clock, Effect, Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import type { ListedItem } from "../domain/item.ts"
import { isNextPageNeeded, newItems } from "../domain/novelty.ts"
import { keyOf } from "../move/account.ts"
import { idsAtOnce } from "./BatchProcessor.ts"
import { type Ask, advanced, announced, archiveBefore, type Cursor, type Found } from "./cursor.ts"
import type { Listing } from "./Listings.ts"
import type { Poll } from "./Poll.ts"
import { readKnown } from "./rows.ts"
import type { AskError } from "./TokenRefreshService.ts"

/** What a source brought somebody, and how far the poller has come with it. */
export interface Finding extends Found {
  readonly cursor: Cursor
}

/** Why somebody's source brought nothing. */
export interface Failure {
  readonly ask: Ask
  readonly error: AskError
}

/** A source somebody follows, its listing as far as it was read, and which of the items listed are in their feed. */
interface Look {
  readonly ask: Ask
  readonly listing: Listing
  /** Pages of which it is known which items are in the feed. */
  readonly pagesKnown: number
  readonly known: ReadonlySet<string>
}

const listedOf = ({ listing, pagesKnown }: Look) => listing.pages.slice(0, pagesKnown).flat()

const isFirstLook = ({ ask, known }: Look): boolean => ask.polledAt === null && known.size === 0

const freshOf = (look: Look, backfillItems: number): ReadonlyArray<ListedItem> => {
  const listed = listedOf(look)
  if (isFirstLook(look)) return listed.slice(0, backfillItems)
  const known = listed.filter(({ itemId }) => look.known.has(itemId))
  return newItems(listed, look.known, archiveBefore(look.ask, known))
}

/** What has to be read before it is sure that nothing new is missed; `null`: nothing. */
const missingOf = (look: Look, backfillItems: number): { readonly pages: number; readonly isOwn: boolean } | null => {
  const { ask, listing, pagesKnown, known } = look
  const isOwn = listing.askedBy === keyOf(ask.account)
  // What one person cannot play, another perhaps can.
  if (!isOwn && freshOf(look, backfillItems).some(({ availability }) => availability === "unplayable")) {
    return { pages: 1, isOwn: true }
  }
  if (isFirstLook(look) || (listing.next === null && pagesKnown === listing.pages.length)) return null
  const pages = listing.pages.slice(0, pagesKnown)
  const knownItems = pages.flat().filter(({ itemId }) => known.has(itemId))
  const line = knownItems.length === 0 ? null : archiveBefore(ask, knownItems)
  return isNextPageNeeded(pages, known, line, announced(ask)) ? { pages: pagesKnown + 1, isOwn } : null
}

/** Finds out which of the items listed since are in the feeds: one statement for all, if they are not thousands. */
const recognise = Effect.fnUntraced(function* (
  { database, processor: { provider } }: Poll,
  looks: ReadonlyArray<Look>,
) {
  const wanted = looks.map(({ ask, listing, pagesKnown }) => ({
    userId: ask.account.userId,
    ids: listing.pages.slice(pagesKnown).flatMap((page) => page.map(({ itemId }) => itemId)),
  }))
  const found = yield* readKnown(
    database,
    provider,
    wanted.filter(({ ids }) => ids.length > 0),
  )
  return looks.map((look): Look => {
    const known = new Set(look.known)
    const inFeed = found.get(look.ask.account.userId)
    for (const { itemId } of look.listing.pages.flat()) if (inFeed?.has(itemId)) known.add(itemId)
    return { ...look, known, pagesKnown: look.listing.pages.length }
  })
})

/** Completes what is new with what listings lack, 50 at once, whoever follows it. Says what could not be completed. */
const complete = Effect.fnUntraced(function* (poll: Poll, looks: ReadonlyArray<Look>) {
  const { withToken, settings } = poll
  const { describe } = poll.processor.client
  const failed = new Map<string, AskError>()
  if (describe === null) return failed
  const wanted = new Map<string, { readonly look: Look; readonly item: ListedItem }>()
  for (const look of looks) {
    for (const item of freshOf(look, settings.backfillItems)) {
      if (!look.listing.described.has(item.itemId)) wanted.set(item.itemId, { look, item })
    }
  }
  yield* Effect.forEach(
    Arr.chunksOf([...wanted.values()], idsAtOnce),
    Effect.fnUntraced(function* (chunk) {
      const [first] = chunk
      if (first === undefined) return
      const items = chunk.map(({ item }) => item)
      const completed = yield* Effect.result(withToken(first.look.ask.account, (token) => describe(token, items)))
      chunk.forEach(({ look, item }, index) => {
        if (Result.isFailure(completed)) failed.set(item.itemId, completed.failure)
        else look.listing.described.set(item.itemId, completed.success[index] ?? item)
      })
    }),
    { concurrency: settings.concurrency, discard: true },
  )
  return failed
})

/** A source that the provider does not have, or that has no list of items: its count tells when that changes. */
const missingFinding = (ask: Ask, now: number): Finding => ({
  ask,
  isFirst: false,
  fresh: [],
  total: null,
  cursor: { polledAt: now, itemCount: ask.source.itemCount },
})

/**
 * Asks sources for what is new to those who follow them: a source once, however many they are, and page after page until something
 * known is listed. What fails is somebody's own, and its cursor stays where it is.
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
  const done: Array<Look> = []
  let reading = asks.map((ask) => ({ ask, pages: 1, isOwn: false, look: undefined as Look | undefined }))
  while (reading.length > 0) {
    const answers = yield* Effect.forEach(
      reading,
      ({ ask, pages, isOwn }) => Effect.result(read(ask.account, ask.source, pages, isOwn)),
      { concurrency: settings.concurrency },
    )
    const now = yield* Clock.currentTimeMillis
    const looks = reading.flatMap(({ ask, look }, index): ReadonlyArray<Look> => {
      const answer = answers[index]
      if (answer === undefined) return []
      if (Result.isSuccess(answer)) {
        const listing = answer.success
        const isSame = look?.listing === listing
        return [{ ask, listing, known: look?.known ?? new Set(), pagesKnown: isSame ? look.pagesKnown : 0 }]
      }
      if (answer.failure._tag === "SourceMissing") findings.push(missingFinding(ask, now))
      else failures.push({ ask, error: answer.failure })
      return []
    })
    reading = (yield* recognise(poll, looks)).flatMap((look) => {
      const missing = missingOf(look, settings.backfillItems)
      if (missing === null) done.push(look)
      return missing === null ? [] : [{ ...missing, ask: look.ask, look }]
    })
  }
  const undescribed = yield* complete(poll, done)
  const now = yield* Clock.currentTimeMillis
  for (const look of done) {
    const { ask, listing } = look
    const listed = freshOf(look, settings.backfillItems)
    const error = listed.map(({ itemId }) => undescribed.get(itemId)).find((reason) => reason !== undefined)
    if (error !== undefined) {
      failures.push({ ask, error })
      continue
    }
    const fresh = listed.map((item) => listing.described.get(item.itemId) ?? item)
    const found = {
      ask,
      isFirst: isFirstLook(look),
      fresh,
      total: processor.client.isTotalExact ? listing.total : null,
    }
    findings.push({ ...found, cursor: advanced(found, now, settings.recheckMs) })
  }
  return { findings, failures }
})
