import { Clock, Effect } from "effect"
import type { Provider } from "../../domain/provider.ts"
import { Outbox } from "../delivery/Outbox.ts"
import { Store } from "../Store.ts"
import { Hubs } from "./Hubs.ts"
import * as statements from "./statements.ts"

/** How long a hub's word that it looks after a source is believed, in milliseconds: 7 days. Then it is asked again. */
const believedMs = 7 * 24 * 3_600_000

interface WatchResult {
  /** Items that D1 has taken meanwhile. */
  readonly delivered: number
  /** What looks on request found, by source. */
  readonly looked: ReadonlyMap<string, number>
}

/**
 * Has hubs look after the sources of an account. A hub writes to the feeds of those who follow a source in D1, so what is followed goes
 * there first; and what appeared before the hub knew the source is the object's own to find, so the source is then asked once more.
 * Between the two nothing is lost, and what both find D1 has once. Sources of which no hub answers are polled by the object as ever.
 */
export const watchSources = Effect.fn("watchSources")(function* (provider: Provider, isRequested: boolean) {
  const store = yield* Store
  const hubs = yield* Hubs
  const outbox = yield* Outbox
  const now = yield* Clock.currentTimeMillis
  const rows = store.rows<statements.WatchedRow>(statements.selectWatched, provider)
  const nothing: WatchResult = { delivered: 0, looked: new Map() }
  if (!hubs.isUsedFor(provider)) {
    if (rows.some(({ watchedAt }) => watchedAt !== null)) store.exec(statements.endAllWatched, provider)
    return nothing
  }
  const hasUnwatched = rows.some(({ watchedAt }) => watchedAt === null)
  const { delivered, undelivered } = hasUnwatched ? yield* outbox.deliver : { delivered: 0, undelivered: 0 }
  const isAsked = ({ watchedAt }: statements.WatchedRow) =>
    watchedAt === null ? undelivered === 0 : isRequested || watchedAt < now - believedMs
  const asked = rows.filter(isAsked).map(({ sourceId }) => sourceId)
  const answers = asked.length === 0 ? [] : yield* hubs.watch(provider, asked, { isRequested })
  const before = new Map(rows.map(({ sourceId, watchedAt }) => [sourceId, watchedAt]))
  const begun = answers.filter(
    ({ sourceId, isWatched, isNew }) => isWatched && (isNew || before.get(sourceId) === null),
  )
  const ended = answers.filter(({ sourceId, isWatched }) => !isWatched && before.get(sourceId) !== null)
  const goneOn = answers.filter(
    ({ sourceId, isWatched, isNew }) => isWatched && !isNew && (before.get(sourceId) ?? now) < now - believedMs,
  )
  const ids = (of: ReadonlyArray<{ readonly sourceId: string }>) => JSON.stringify(of.map(({ sourceId }) => sourceId))
  yield* store.transaction(() => {
    if (begun.length > 0) store.exec(statements.beginWatched, provider, ids(begun), now)
    if (goneOn.length > 0) store.exec(statements.goOnWatched, provider, ids(goneOn), now)
    if (ended.length > 0) store.exec(statements.endWatched, provider, ids(ended))
  })
  const looked = new Map(isRequested ? answers.map(({ sourceId, found }) => [sourceId, found]) : [])
  return { delivered, looked } satisfies WatchResult
})
