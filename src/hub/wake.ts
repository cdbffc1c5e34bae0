import { Clock, Effect } from "effect"
import { nextLookAt, onGrid } from "../domain/hub.ts"
import { demandOf } from "../domain/schedule/nextLook.ts"
import { checkSource } from "../object/polling/checkSource.ts"
import { recordFailure } from "../object/polling/recordCheck.ts"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import { deliver } from "./delivery.ts"
import { readFeeds } from "./feeds.ts"
import { countFollowers } from "./followers.ts"
import { Hub, provider } from "./Hub.ts"
import { keptMs } from "./listings.ts"
import { askForPushes, hintsDueAt, readHints, withHints } from "./pushes.ts"
import { recordFound } from "./record.ts"
import { learnedRhythm, rhythmOfSource } from "./rhythms.ts"
import * as statements from "./statements.ts"

/** Sources that the API is asked about at once. */
const askedAtOnce = 6

/** Looks by the API that a hub may take in a day in place of feeds that fail, for each source; and at least so many. */
const spareLooks = { perSource: 0.2, least: 4 }

const dayMs = 24 * 3_600_000

/** Whether the API is to be asked what a source has: for the first time, because it is time for it, or because a feed did not tell all. */
const isListedAt = (source: statements.HubSource, now: number): boolean =>
  (source.isPending === 1 || source.recheckDueAt <= now) && (source.failures === 0 || source.dueAt <= now)

const isLookedAt = (source: statements.HubSource, since: number, now: number, maximumMs: number): boolean =>
  source.isUnfinished === 1 || nextLookAt(source, rhythmOfSource(source), since, maximumMs) <= now

/** How likely something new is at a source, and how many wait for it. */
const chanceOf = (source: statements.HubSource): number =>
  Math.sqrt(source.followers) * demandOf(rhythmOfSource(source))

/** Those first of which something new is likelier, and of which more people wait for it. */
const byChance = (one: statements.HubSource, other: statements.HubSource): number => chanceOf(other) - chanceOf(one)

/** Asks the API what sources have. Returns how many items were found, by source; `null` for what failed, which is recorded, and retried. */
export const lookByApi = Effect.fnUntraced(function* (sources: ReadonlyArray<statements.HubSource>) {
  const store = yield* Store
  const client = (yield* ProviderClients)[provider]
  const now = yield* Clock.currentTimeMillis
  const found = new Map<string, number | null>()
  yield* Effect.forEach(
    sources,
    (source) =>
      checkSource(client, source).pipe(
        // What concerns the whole key: a quota that is used up, a key that does not work. The source waits with it.
        Effect.catch((error) => Effect.as(recordFailure(source, error.message), null)),
        Effect.tap((items) =>
          Effect.sync(() => {
            found.set(source.sourceId, items)
            if (items !== null)
              store.exec(statements.recordRhythm, source.sourceId, learnedRhythm(store, source.sourceId, now))
          }),
        ),
      ),
    { concurrency: askedAtOnce, discard: true },
  )
  return found
})

/** How many looks by the API are left today in place of feeds. */
const spareLeft = ({ spareDay, spareLooks: taken }: statements.Self, sources: number, now: number): number => {
  const allowed = Math.max(spareLooks.least, Math.ceil(sources * spareLooks.perSource))
  return Math.max(0, allowed - (now - spareDay < dayMs ? taken : 0))
}

/** Those of the sources of which items wait that are due. */
const waitingOf = ({ rows }: Store["Service"], sources: ReadonlyArray<statements.HubSource>, now: number) => {
  const due = rows<statements.WaitingRow>(statements.selectWaiting, provider).filter(({ at }) => at <= now)
  const ids = new Set(due.map(({ sourceId }) => sourceId))
  return sources.filter(({ sourceId }) => ids.has(sourceId))
}

/** The sources that the API lists, and those whose feed is read. */
const dueOf = (sources: ReadonlyArray<statements.HubSource>, since: number, now: number, maximumMs: number) => {
  const listed = sources.filter((source) => isListedAt(source, now))
  const looked = sources.filter(
    (source) => source.backfilledAt !== null && !listed.includes(source) && isLookedAt(source, since, now, maximumMs),
  )
  return { listed, looked }
}

/** Looks at what is due of these sources. Returns since when all feeds fail, and how many looks by the API took the place of feeds. */
const lookAt = Effect.fnUntraced(function* (
  sources: ReadonlyArray<statements.HubSource>,
  self: statements.Self,
  now: number,
) {
  const store = yield* Store
  const { bounds } = yield* Settings
  const { listed, looked } = dueOf(sources, self.lookedUntil, now, bounds.maximumMs)
  const round = yield* readFeeds(looked, self.feedsOutSince, now)
  const spare = round.unserved.toSorted(byChance).slice(0, spareLeft(self, sources.length, now))
  const isApiOpen = (self.apiLimitedUntil ?? 0) <= now
  if (isApiOpen) yield* lookByApi([...listed, ...round.cutShort, ...spare])
  const waiting = waitingOf(store, sources, now)
  const candidates = yield* withHints(round.candidates, yield* readHints(sources), now)
  yield* Effect.catch(recordFound(candidates, waiting), (error) =>
    Effect.logWarning("Details of videos could not be read; they are asked for again", error.message),
  )
  return { outSince: round.outSince, spare: isApiOpen ? spare.length : 0 }
})

/**
 * The same, one source after the other, each marked before it is looked at: after a wake that was cut off, by a limit of the platform or
 * otherwise. A source that is found marked has cut off the wake before, and is left alone for a day, for all others' sake.
 */
const lookOneByOne = Effect.fnUntraced(function* (
  sources: ReadonlyArray<statements.HubSource>,
  self: statements.Self,
  now: number,
) {
  const store = yield* Store
  const { bounds } = yield* Settings
  if (self.suspect !== null) {
    store.exec(statements.shun, self.suspect, now + dayMs)
    yield* Effect.logWarning("A look at a channel cuts off the hub: it is left alone for a day", {
      channel: self.suspect,
    })
  }
  const { listed, looked } = dueOf(sources, self.lookedUntil, now, bounds.maximumMs)
  const hinted = (yield* readHints(sources)).map(({ source }) => source)
  let spare = 0
  for (const source of new Set([...listed, ...looked, ...hinted, ...waitingOf(store, sources, now)])) {
    if (source.sourceId === self.suspect) continue
    store.exec(statements.suspect, source.sourceId)
    const done = yield* lookAt([source], { ...self, spareLooks: self.spareLooks + spare }, now)
    spare += done.spare
  }
  store.exec(statements.suspect, null)
  // What one feed says is nothing about all.
  return { outSince: self.feedsOutSince, spare }
})

/** Whether a source is left alone, since a look at it has cut a wake off. */
export const isShunned = ({ shunnedUntil }: statements.HubSource, now: number): boolean => (shunnedUntil ?? 0) > now

/** Looks at everything that is due, as far as it can be, and delivers what is new; carefully after a wake that was cut off. */
export const lookAround = Effect.fnUntraced(function* (isCareful: boolean) {
  const store = yield* Store
  const hub = yield* Hub
  const self = hub.read()
  const now = yield* Clock.currentTimeMillis
  store.exec(statements.deleteOldListings, now - keptMs)
  if (self === undefined) return
  const all = store.rows<statements.HubSource>(statements.selectSources, provider)
  const sources = all.filter((source) => !isShunned(source, now))
  const { outSince, spare } = yield* (isCareful ? lookOneByOne : lookAt)(sources, self, now)
  const isSameDay = now - self.spareDay < dayMs
  store.exec(
    statements.updateSelf,
    ...[now, outSince, isSameDay ? self.spareDay : now - (now % dayMs)],
    (isSameDay ? self.spareLooks : 0) + spare,
  )
  store.exec(statements.deleteIdleHints, provider, now)
  yield* deliver
  yield* askForPushes(sources)
  yield* Effect.catch(countFollowers(all), (error) =>
    Effect.logWarning("Followers could not be counted; all sources stay", error.message),
  )
})

/** When the oldest listing goes that is kept for others; `null` where there is none. */
const listingsEndAt = ({ rows }: Store["Service"]): number | null => {
  const [{ oldest } = { oldest: null }] = rows<{ oldest: number | null }>(statements.selectOldestListing)
  return oldest === null ? null : oldest + keptMs + 1
}

/** When the hub has something to do next, in epoch milliseconds; `null` when it has no sources. */
const dueAt = Effect.gen(function* () {
  const store = yield* Store
  const hub = yield* Hub
  const { bounds } = yield* Settings
  const self = hub.read()
  if (self === undefined) return listingsEndAt(store)
  const { lookedUntil, apiLimitedUntil, deliveryRetryAt } = self
  const [{ waiting } = { waiting: 0 }] = store.rows<{ waiting: number }>("SELECT count(*) AS waiting FROM outbox")
  const now = yield* Clock.currentTimeMillis
  const sources = store.rows<statements.HubSource>(statements.selectSources, provider)
  const shunned = new Map(sources.map(({ sourceId, shunnedUntil }) => [sourceId, shunnedUntil ?? 0]))
  const ofApi = (at: number) => Math.max(at, apiLimitedUntil ?? 0)
  const times = sources.map((source) => {
    if (isShunned(source, now)) return source.shunnedUntil ?? now
    const listedAt = source.isPending === 1 ? 0 : source.recheckDueAt
    const byApi = ofApi(source.failures === 0 ? listedAt : Math.max(listedAt, source.dueAt))
    if (source.backfilledAt === null) return byApi
    const unfinished = source.isUnfinished === 1 ? lookedUntil + bounds.minimumMs : Number.POSITIVE_INFINITY
    return Math.min(byApi, unfinished, nextLookAt(source, rhythmOfSource(source), lookedUntil, bounds.maximumMs))
  })
  const items = store
    .rows<statements.WaitingRow>(statements.selectWaiting, provider)
    .map(({ sourceId, at }) => Math.max(ofApi(at), shunned.get(sourceId) ?? 0))
  const next = [...times, ...items].reduce((one, other) => Math.min(one, other), Number.POSITIVE_INFINITY)
  // Looks are taken together: at most one wake in each of the shortest intervals.
  const wakeAt = next === Number.POSITIVE_INFINITY ? next : onGrid(hub.name, bounds.minimumMs, next)
  const delivery = waiting > 0 ? (deliveryRetryAt ?? 0) : Number.POSITIVE_INFINITY
  const hintsAt = hintsDueAt(store, lookedUntil, bounds.minimumMs)
  const described = hintsAt === null ? Number.POSITIVE_INFINITY : ofApi(hintsAt)
  const earliest = Math.min(wakeAt, delivery, described)
  return earliest === Number.POSITIVE_INFINITY ? null : earliest
})

/** An alarm for now is set for so much later, in milliseconds: cloudflare/workerd#6866. */
const momentMs = 50

/** Sets the alarm to what is due next. */
export const arm = Effect.gen(function* () {
  const store = yield* Store
  const due = yield* dueAt
  const now = yield* Clock.currentTimeMillis
  const at = due === null ? null : Math.max(due, now + momentMs)
  if ((yield* store.alarmAt) !== at) yield* store.setAlarm(at)
})
