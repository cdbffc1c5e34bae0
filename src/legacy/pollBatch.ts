import { Array as Arr, Clock, Effect, Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { hasSameDetails, type Source } from "../domain/subscription.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import { idsAtOnce } from "./BatchProcessor.ts"
import { type Ask, isToBeAsked } from "./cursor.ts"
import { completed, type FirstPage, isBelieved, type Library, readFirst, readWhole } from "./library.ts"
import type { Poll } from "./Poll.ts"
import { type Follow, readFollows } from "./rows.ts"
import { askSources } from "./sources.ts"
import type { AskError } from "./TokenRefreshService.ts"
import { type Followed, writeOutcome } from "./write.ts"

/** The result of polling a batch. */
export interface BatchSummary {
  readonly polled: number
  /** Why accounts brought nothing, or one of their sources did not. */
  readonly failed: ReadonlyArray<AskError>
  readonly sourceFailures: ReadonlyArray<AskError>
  readonly items: number
  /** The place in the batch of the first account that the run had no time or subrequests left for, in part or whole; `null`: of none. */
  readonly unfinished: number | null
}

/** Sources asked before what they brought is written: at 50 items of 2 KB each 20 MB of the 128 MB that a worker has. */
const asksAtOnce = 200

type Follows = ReadonlyMap<string, Follow>
const nothing: Follows = new Map()

/** Reads the counts of sources beyond the first pages, each once a run. False when the provider does not tell them. */
const readCounts = Effect.fnUntraced(function* (poll: Poll, firsts: ReadonlyArray<FirstPage>) {
  const { processor, counts, settings, withToken } = poll
  const asker = firsts.find(({ beyond }) => beyond !== null)?.account
  const ask = processor.counts
  if (ask === null || asker === undefined) return false
  const wanted = new Set(firsts.flatMap(({ beyond }) => beyond ?? []).filter((id) => !counts.has(id)))
  const told = yield* Effect.forEach(
    Arr.chunksOf([...wanted], idsAtOnce),
    (ids) =>
      Effect.orElseSucceed(
        withToken(asker, (token) => ask(token, ids)),
        () => null,
      ),
    { concurrency: settings.concurrency },
  )
  for (const chunk of told) for (const [id, count] of chunk ?? []) counts.set(id, count)
  return told.every((chunk) => chunk !== null)
})

/** Reads what each of the accounts follows now, or why that is not known. */
const readLibraries = Effect.fnUntraced(function* (
  poll: Poll,
  accounts: ReadonlyArray<AccountKey>,
  follows: ReadonlyMap<string, Follows>,
) {
  const { processor, settings, withToken } = poll
  const options = { concurrency: settings.concurrency }
  const firsts = yield* Effect.forEach(
    accounts,
    (account) => Effect.result(readFirst(processor, withToken, account, follows.get(keyOf(account)) ?? nothing)),
    options,
  )
  const hasCounts = yield* readCounts(
    poll,
    firsts.flatMap((first) => (Result.isSuccess(first) ? [first.success] : [])),
  )
  return yield* Effect.forEach(
    firsts,
    (first): Effect.Effect<Result.Result<Library, AskError>> => {
      if (Result.isFailure(first)) return Effect.succeed(Result.fail(first.failure))
      const { account, page, beyond } = first.success
      if (beyond !== null && hasCounts)
        return Effect.succeed(Result.succeed(completed(first.success, beyond, poll.counts)))
      return Effect.result(readWhole(processor, withToken, account, page))
    },
    options,
  )
})

/**
 * Polls a batch of accounts of one provider, and writes what comes as it comes: a transaction for each 200 sources. Stops where the run
 * has to stop; what was not asked keeps its cursor, so that the next run asks it.
 */
export const pollBatch = Effect.fn("legacy.pollBatch")(function* (
  poll: Poll,
  accounts: ReadonlyArray<AccountKey>,
): Effect.fn.Return<BatchSummary, DatabaseUnavailable> {
  const { database, settings, processor } = poll
  const follows = yield* readFollows(database, processor.provider, accounts)
  const tokens = yield* poll.prepare(accounts)
  const failed: Array<AskError> = []
  const able = accounts.filter((_, index) => {
    const token = tokens[index]
    if (token !== undefined && Result.isFailure(token)) failed.push(token.failure)
    return token !== undefined && Result.isSuccess(token)
  })
  const libraries = yield* readLibraries(poll, able, follows)
  const now = yield* Clock.currentTimeMillis
  const asks: Array<Ask> = []
  const sources: Array<Source> = []
  const added: Array<Followed> = []
  const removed: Array<Followed> = []
  const unfinished = new Set<AccountKey>()
  able.forEach((account, index) => {
    const library = libraries[index]
    if (library === undefined) return
    if (Result.isFailure(library)) {
      if (library.failure._tag === "RunSpent") unfinished.add(account)
      else failed.push(library.failure)
      return
    }
    const known = follows.get(keyOf(account)) ?? nothing
    const { sources: followed } = library.success
    for (const source of followed) {
      const before = known.get(source.sourceId)
      if (before === undefined) added.push({ account, sourceId: source.sourceId })
      if (before === undefined || !hasSameDetails(source, before)) sources.push(source)
      const ask: Ask = { account, source, polledAt: before?.polledAt ?? null, itemCount: before?.itemCount ?? null }
      if (isToBeAsked(ask, now, settings.recheckMs)) asks.push(ask)
    }
    const named = new Set(followed.map(({ sourceId }) => sourceId))
    const isTrusted = isBelieved(poll.emptied, account, library.success, { follows: known, now })
    const gone = isTrusted ? [...known.keys()].filter((id) => !named.has(id)) : []
    removed.push(...gone.map((sourceId) => ({ account, sourceId })))
  })
  const sourceFailures: Array<AskError> = []
  let items = 0
  let rest = { sources, added, removed }
  // What is followed is written with the first, though there be nothing to ask, or nothing left to ask it with.
  const [first = [], ...later] = Arr.chunksOf(asks, asksAtOnce)
  for (const chunk of [first, ...later]) {
    if (chunk !== first && !(yield* poll.mayAsk)) {
      for (const { account } of chunk) unfinished.add(account)
      continue
    }
    const { findings, failures } = yield* askSources(poll, chunk)
    for (const { ask, error } of failures) {
      if (error._tag === "RunSpent") unfinished.add(ask.account)
      else sourceFailures.push(error)
    }
    const writtenAt = yield* Clock.currentTimeMillis
    items += yield* writeOutcome(database, processor.provider, writtenAt, { findings, ...rest })
    rest = { sources: [], added: [], removed: [] }
  }
  const firstLeft = accounts.findIndex((account) => unfinished.has(account))
  return {
    polled: accounts.length - failed.length - unfinished.size,
    failed,
    sourceFailures,
    items,
    unfinished: firstLeft === -1 ? null : firstLeft,
  }
})
