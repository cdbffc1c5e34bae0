import { Context, Effect, Exit } from "effect"
import type { ListedItem } from "../domain/item.ts"
import { newItems } from "../domain/novelty.ts"
import { readItems } from "../object/polling/checkSource.ts"
import type { KnownItem } from "../object/polling/statements.ts"
import { Store } from "../object/Store.ts"
import type { Feed, ReadFeed } from "../providers/youtubeFeed.ts"
import * as statements from "./statements.ts"

/** The feeds of channels, which cost nothing and cannot be relied on. */
export class Feeds extends Context.Service<Feeds, { readonly read: ReadFeed }>()("pollen/hub/Feeds") {}

/** Feeds read at once: a Worker invocation has 6 connections. */
const readAtOnce = 6

/** Feeds that are tried while all are out. */
const probes = 3

/** Failures of one feed, while others answer, from which on the API is asked in its place. */
const failuresBelieved = 3

/** Entries that a feed has at most: one that is full and knows nothing that is known may have left something out. */
const entriesAtMost = 15

/** Something new in a feed, of which the details are still to be read. */
export interface Candidate {
  readonly source: statements.HubSource
  readonly known: ReadonlyMap<string, KnownItem>
  readonly fresh: ReadonlyArray<ListedItem>
}

/** What a round of feeds came to. */
interface Round {
  /** Since when all feeds fail; `null` if any answers. */
  readonly outSince: number | null
  readonly candidates: ReadonlyArray<Candidate>
  /** Sources whose feed does not tell what is new: the API has to. */
  readonly unserved: ReadonlyArray<statements.HubSource>
  /** Sources of which a feed cannot have listed everything. */
  readonly cutShort: ReadonlyArray<statements.HubSource>
}

type Answer = readonly [statements.HubSource, Exit.Exit<Feed, unknown>]

const readAll = (sources: ReadonlyArray<statements.HubSource>) =>
  Effect.flatMap(Feeds, ({ read }) =>
    Effect.forEach(
      sources,
      (source) => Effect.map(Effect.exit(read(source.sourceId)), (exit): Answer => [source, exit]),
      { concurrency: readAtOnce },
    ),
  )

/**
 * Reads the feeds of sources. An outage of all feeds is one fact and not one of each source: while it lasts, three are tried, and nothing
 * is written about any of them. A feed that fails alone is counted.
 */
export const readFeeds = Effect.fnUntraced(function* (
  due: ReadonlyArray<statements.HubSource>,
  outSince: number | null,
  now: number,
) {
  const store = yield* Store
  const tried = outSince === null ? due : due.slice(0, probes)
  const first = yield* readAll(tried)
  const isOut =
    first.length > 0 && first.every(([, exit]) => Exit.isFailure(exit)) && first.length >= Math.min(probes, due.length)
  if (isOut) return { outSince: outSince ?? now, candidates: [], unserved: due, cutShort: [] } satisfies Round
  const answers = [...first, ...(yield* readAll(due.slice(tried.length)))]
  const candidates: Array<Candidate> = []
  const unserved: Array<statements.HubSource> = []
  const cutShort: Array<statements.HubSource> = []
  for (const [source, exit] of answers) {
    const known = new Map(readItems(store, source).map((item) => [item.itemId, item]))
    const isWhole = ({ size, unreadable }: Feed) => unreadable === 0 && (size > 0 || known.size === 0)
    const feed = Exit.isSuccess(exit) && isWhole(exit.value) ? exit.value : undefined
    if (feed === undefined) {
      store.exec(statements.recordFeedFailure, source.sourceId)
      if (source.feedFailures + 1 >= failuresBelieved) unserved.push(source)
      continue
    }
    if (source.feedFailures > 0) store.exec(statements.forgetFeedFailures, source.sourceId)
    const fresh = newItems(feed.items, known, source.archiveBefore)
    const knowsAny = feed.items.some(({ itemId }) => known.has(itemId))
    if (fresh.length > 0 && !knowsAny && feed.size >= entriesAtMost) cutShort.push(source)
    else if (fresh.length > 0) candidates.push({ source, known, fresh })
  }
  return { outSince: first.length === 0 ? outSince : null, candidates, unserved, cutShort } satisfies Round
})
