import { Clock, Effect } from "effect"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { deliver } from "./delivery.ts"
import { readFeeds } from "./feeds.ts"
import { Hub, provider } from "./Hub.ts"
import { recordFound } from "./record.ts"
import * as statements from "./statements.ts"
import { isShunned, lookByApi } from "./wake.ts"

/** Looks at sources because somebody asks for it, and delivers what is new; by the API where a feed fails. Returns items by source. */
const lookNow = Effect.fnUntraced(function* (sources: ReadonlyArray<statements.HubSource>) {
  const store = yield* Store
  const hub = yield* Hub
  const now = yield* Clock.currentTimeMillis
  if (sources.length === 0) return new Map<string, number | null>()
  store.exec(statements.recordRequested, JSON.stringify(sources.map(({ sourceId }) => sourceId)), now)
  const round = yield* readFeeds(sources, hub.read()?.feedsOutSince ?? null, now)
  const found = yield* lookByApi([...round.unserved, ...round.cutShort])
  const described = yield* Effect.catch(recordFound(round.candidates, []), (error) =>
    Effect.as(Effect.logWarning("Details of videos could not be read; they are asked for again", error.message), found),
  )
  yield* deliver
  return new Map([...found, ...described])
})

/** Takes sources on, or says of those that are known that they are looked after; looks at them if that is asked for. */
export const watch = Effect.fn("hub.watch")(function* (sourceIds: ReadonlyArray<string>, isRequested: boolean) {
  const store = yield* Store
  const hub = yield* Hub
  const { bounds } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const ids = JSON.stringify(sourceIds)
  const read = () => store.rows<statements.HubSource>(statements.selectThese, provider, ids)
  const known = new Set(read().flatMap(({ sourceId, backfilledAt }) => (backfilledAt === null ? [] : [sourceId])))
  yield* store.transaction(() => {
    store.exec(statements.insertSelf, hub.name, now)
    store.exec(statements.insertSources, provider, ids, now, bounds.maximumMs)
    store.exec(statements.insertWatched, ids, now)
  })
  yield* lookByApi(
    read().filter((source) => source.backfilledAt === null && source.dueAt <= now && !isShunned(source, now)),
  )
  const requested = isRequested
    ? read().filter(
        (source) =>
          known.has(source.sourceId) && (source.requestedAt ?? 0) <= now - bounds.minimumMs && !isShunned(source, now),
      )
    : []
  const found = yield* lookNow(requested)
  return {
    sources: read().map(({ sourceId, backfilledAt }) => ({
      sourceId,
      isWatched: backfilledAt !== null,
      isNew: !known.has(sourceId),
      found: found.get(sourceId) ?? 0,
    })),
  }
})
