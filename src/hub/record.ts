import { Array as Arr, Clock, Effect } from "effect"
import type { ListedItem } from "../domain/item.ts"
import { Access } from "../object/polling/Access.ts"
import { describedAtOnce, placeholder, readItems } from "../object/polling/checkSource.ts"
import { recordCheck } from "../object/polling/recordCheck.ts"
import { Store } from "../object/Store.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import type { Candidate } from "./feeds.ts"
import { provider } from "./Hub.ts"
import { learnedRhythm } from "./rhythms.ts"
import * as statements from "./statements.ts"

/** A source with the items to be described: new ones, and those that wait. */
interface Described extends Candidate {
  readonly waiting: ReadonlyArray<ListedItem>
}

/** Joins what feeds have found with the items that wait and are due. */
const withWaiting = (
  store: Store["Service"],
  candidates: ReadonlyArray<Candidate>,
  waiting: ReadonlyArray<statements.HubSource>,
  now: number,
  toListed: (
    sourceId: string,
    item: Candidate["known"] extends ReadonlyMap<string, infer Item> ? Item : never,
  ) => ListedItem,
): ReadonlyArray<Described> => {
  const bySource = new Map<string, Candidate>(candidates.map((candidate) => [candidate.source.sourceId, candidate]))
  for (const source of waiting) {
    if (bySource.has(source.sourceId)) continue
    const known = new Map(readItems(store, source).map((item) => [item.itemId, item]))
    bySource.set(source.sourceId, { source, known, fresh: [] })
  }
  return [...bySource.values()].map((candidate) => ({
    ...candidate,
    waiting: [...candidate.known.values()]
      .filter(({ state, recheckAt }) => state === "waiting" && (recheckAt ?? 0) <= now)
      .map((item) => toListed(candidate.source.sourceId, item)),
  }))
}

/**
 * Reads the details of new and of waiting items, 50 at a time whatever their source, and records what has been found. Where details
 * cannot be read, nothing is recorded, and the sources are looked at again in the next wake. Returns how many items were found, by source.
 */
export const recordFound = Effect.fnUntraced(function* (
  candidates: ReadonlyArray<Candidate>,
  waiting: ReadonlyArray<statements.HubSource>,
) {
  const store = yield* Store
  const { withToken } = yield* Access
  const client = (yield* ProviderClients)[provider]
  const now = yield* Clock.currentTimeMillis
  const found = new Map<string, number>()
  const all = withWaiting(store, candidates, waiting, now, (sourceId, item) =>
    placeholder(client, sourceId, item, "upcoming"),
  )
  const asked = all.flatMap(({ fresh, waiting: due }) => [...fresh, ...due])
  const { describe } = client
  if (asked.length === 0 || describe === null) return found
  const complete = yield* Effect.forEach(Arr.chunksOf(asked, describedAtOnce), (chunk) =>
    withToken(provider, (token) => describe(token, chunk)),
  ).pipe(
    Effect.map((described) => described.flat()),
    Effect.tapError(() =>
      Effect.sync(() => {
        for (const { source } of all) {
          if (source.isUnfinished === 0) store.exec(statements.recordUnfinished, source.sourceId, 1)
        }
      }),
    ),
  )
  let from = 0
  for (const { source, known, fresh, waiting: due } of all) {
    const mine = complete.slice(from, from + fresh.length + due.length)
    from += fresh.length + due.length
    const items = yield* recordCheck(source, {
      known,
      etag: source.etag,
      isUnchanged: true,
      isBackfilled: true,
      fresh: mine.slice(0, fresh.length),
      archive: [],
      archiveBefore: source.archiveBefore,
      rechecked: mine.slice(fresh.length),
    })
    if (items > 0) store.exec(statements.recordRhythm, source.sourceId, learnedRhythm(store, source.sourceId, now))
    if (source.isUnfinished === 1) store.exec(statements.recordUnfinished, source.sourceId, 0)
    found.set(source.sourceId, items)
  }
  return found
})
