import { Array as Arr, Clock, Context, Effect, Exit, Option } from "effect"
import { Hex } from "effect/encoding"
import type { ProviderUnavailable } from "../domain/error.ts"
import { stableHash } from "../domain/hash.ts"
import type { ListedItem } from "../domain/item.ts"
import { newItems } from "../domain/novelty.ts"
import { placeholder, readItems } from "../object/polling/checkSource.ts"
import { Settings } from "../object/Settings.ts"
import { Store } from "../object/Store.ts"
import { ProviderClients } from "../providers/ProviderClients.ts"
import { isSigned, topicOf } from "../providers/websub.ts"
import { parseFeed } from "../providers/youtubeFeed.ts"
import type { Payload } from "../rpc/contract.ts"
import type { ConfirmPushes, TakePush } from "../rpc/push.ts"
import type { Candidate } from "./feeds.ts"
import { Hub, provider } from "./Hub.ts"
import * as statements from "./statements.ts"

// Pushes by WebSub come on top of looks, and never in their place: hubs go silent without a word, push what cannot be read yet, and push
// videos that are years old. So a push is a hint, described by the API as whatever else is found, and looks count what it has missed.

/** Asks for the pushes of a channel, which are signed with the secret. */
export class PushRequests extends Context.Service<
  PushRequests,
  { readonly ask: (sourceId: string, secret: string) => Effect.Effect<void, ProviderUnavailable> }
>()("pollen/hub/PushRequests") {}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Channels of which pushes are asked for in one wake, and at once. */
const askedInAWake = 24
const askedAtOnce = 6

/** If this many fail and none succeeds, WebSub as a whole is refused, and left alone for so long, in milliseconds. */
const probes = 3
const refusedForMs = hourMs

/** An answer to a request of ours comes within this time, in milliseconds; one that comes by itself is somebody else's. */
const confirmedWithinMs = hourMs
/** What has not been confirmed is asked for again after this time, in milliseconds. */
const askAgainMs = 6 * hourMs
/** Longest lease that is believed, in milliseconds. */
const longestLeaseMs = 30 * dayMs
/** Leases are renewed 2 to 4 days before they end: spread, and with time for hubs that refuse for days. */
const renewedBeforeMs = (sourceId: string) => 2 * dayMs + (stableHash(`pollen:lease:${sourceId}`) % (2 * dayMs))

/** New items that looks find first, with no push between them, from which on pushes are silent and asked for again. */
const silentAfter = 3

/** How long pushes are collected, so that their details are read 50 at a time, in milliseconds. */
const collectedForMs = 30_000
/** Most pushed items that wait to be described: a hub that pushes without end fills nothing, and looks find the rest. */
const hintsAtMost = 1000

const isToBeAsked = (source: statements.HubSource, row: statements.PushesRow | undefined, now: number): boolean => {
  if (source.backfilledAt === null) return false
  if (row === undefined) return true
  const isSilent = row.missed >= silentAfter && row.askedAt <= now - dayMs
  const isEnding = row.leasedUntil === null || row.leasedUntil - renewedBeforeMs(row.sourceId) <= now
  return isSilent || (isEnding && row.askedAt <= now - askAgainMs)
}

const bytesOfSecret = 32

/** The secret of the hub's pushes; made at first. */
const secretOf = ({ exec }: Store["Service"], self: statements.Self): string => {
  if (self.pushSecret !== null) return self.pushSecret
  const secret = Hex.encode(crypto.getRandomValues(new Uint8Array(bytesOfSecret)))
  exec(statements.keepPushSecret, secret)
  return secret
}

/** Asks for the pushes of channels that have none, whose lease ends, or that have gone silent; where the gateway has a public address. */
export const askForPushes = Effect.fnUntraced(function* (sources: ReadonlyArray<statements.HubSource>) {
  const store = yield* Store
  const hub = yield* Hub
  const { ask } = yield* PushRequests
  const { publicYoutube } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const self = hub.read()
  if (publicYoutube.publicUrl === "" || self === undefined || (self.pushRetryAt ?? 0) > now) return
  const rows = new Map(store.rows<statements.PushesRow>(statements.selectAllPushes).map((row) => [row.sourceId, row]))
  const due = sources.filter((source) => isToBeAsked(source, rows.get(source.sourceId), now)).slice(0, askedInAWake)
  if (due.length === 0) return
  const secret = secretOf(store, self)
  const silent = due.filter(({ sourceId }) => (rows.get(sourceId)?.missed ?? 0) >= silentAfter)
  if (silent.length > 0) {
    const message = "WebSub has gone silent about channels that publish: their pushes are asked for again"
    yield* Effect.logWarning(message, { channels: silent.length })
  }
  const askAll = (these: ReadonlyArray<statements.HubSource>) =>
    Effect.forEach(
      these,
      ({ sourceId }) =>
        Effect.gen(function* () {
          // Kept first: the hub may ask whether it was us before it answers.
          store.exec(statements.recordPushRequest, sourceId, now)
          return yield* Effect.exit(ask(sourceId, secret))
        }),
      { concurrency: askedAtOnce },
    )
  const [tried, rest] = Arr.splitAt(due, probes)
  const first = yield* askAll(tried)
  const refusal = first.every(Exit.isFailure) ? first[0] : undefined
  if (refusal === undefined) return yield* Effect.asVoid(askAll(rest))
  store.exec(statements.delayPushRequests, now + refusedForMs)
  yield* Effect.logWarning("WebSub takes no requests; feeds and the API are looked at as always", refusal)
})

/** Answers a WebSub hub that asks whether pushes were asked for. */
export const confirmPushes = Effect.fn("hub.confirmPushes")(function* ({
  sourceId,
  mode,
  topic,
  leaseSeconds,
}: Payload<typeof ConfirmPushes>) {
  const store = yield* Store
  const { publicYoutube } = yield* Settings
  const now = yield* Clock.currentTimeMillis
  const [row] = store.rows<statements.PushesRow>(statements.selectPushes, sourceId)
  if (topic !== topicOf(publicYoutube.feedUrl, sourceId)) return { isWanted: false }
  if (mode === "unsubscribe") return { isWanted: row === undefined }
  if (row === undefined) return { isWanted: false }
  if (mode === "denied") {
    store.exec(statements.leasePushes, sourceId, null)
    return { isWanted: true }
  }
  if (row.askedAt < now - confirmedWithinMs) return { isWanted: false }
  const leaseMs = Math.min(longestLeaseMs, Math.max(0, leaseSeconds * 1000))
  store.exec(statements.leasePushes, sourceId, now + leaseMs)
  return { isWanted: true }
})

/** Keeps what a push tells of, until the API has described it. */
export const takePush = Effect.fn("hub.takePush")(function* ({ sourceId, signature, body }: Payload<typeof TakePush>) {
  const store = yield* Store
  const hub = yield* Hub
  const now = yield* Clock.currentTimeMillis
  const secret = hub.read()?.pushSecret ?? null
  const [source] = store.rows<statements.HubSource>(statements.selectThese, provider, JSON.stringify([sourceId]))
  if (source === undefined || secret === null) return { isWanted: false }
  if (!(yield* isSigned(secret, signature, body))) return { isWanted: true }
  const feed = yield* Effect.option(parseFeed(sourceId, body))
  if (Option.isNone(feed)) return { isWanted: true }
  // An edit of what is known says nothing new; one of before the first poll is the archive's.
  const known = new Map(readItems(store, source).map((item) => [item.itemId, item]))
  const fresh = newItems(feed.value.items, known, source.archiveBefore)
  yield* store.transaction(() => {
    for (const { itemId, publishedAt } of fresh) {
      store.exec(statements.insertHint, sourceId, itemId, publishedAt, now, hintsAtMost)
    }
    store.exec(statements.recordPush, sourceId, fresh.length)
  })
  return { isWanted: true }
})

/** What pushes have told of and the API has still to describe, by source; what is known by now is no longer. */
export const readHints = Effect.fnUntraced(function* (sources: ReadonlyArray<statements.HubSource>) {
  const store = yield* Store
  const client = (yield* ProviderClients)[provider]
  const rows = store.rows<statements.HintRow>(statements.selectHints)
  return Object.entries(Arr.groupBy(rows, ({ sourceId }) => sourceId)).flatMap(
    ([sourceId, hints]): Array<Candidate> => {
      const source = sources.find((one) => one.sourceId === sourceId)
      if (source === undefined || source.backfilledAt === null) return []
      const known = new Map(readItems(store, source).map((item) => [item.itemId, item]))
      const fresh = hints
        .filter(({ itemId }) => !known.has(itemId))
        .map(
          ({ itemId, publishedAt }): ListedItem =>
            placeholder(client, sourceId, { itemId, publishedAt, state: "known", recheckAt: null }, "available"),
        )
      return fresh.length === 0 ? [] : [{ source, known, fresh }]
    },
  )
})

/** Joins what looks have found with what was pushed. What only looks have found while pushes were promised, pushes have missed: it is counted. */
export const withHints = Effect.fnUntraced(function* (
  found: ReadonlyArray<Candidate>,
  hinted: ReadonlyArray<Candidate>,
  now: number,
) {
  const store = yield* Store
  const pushed = new Map(hinted.map((candidate) => [candidate.source.sourceId, candidate]))
  for (const { source, fresh } of found) {
    const missed = fresh.filter(
      ({ itemId }) => !pushed.get(source.sourceId)?.fresh.some((item) => item.itemId === itemId),
    )
    if (missed.length > 0) store.exec(statements.recordMissed, source.sourceId, missed.length, now)
  }
  const looked = new Set(found.map(({ source }) => source.sourceId))
  const joined = found.map((candidate) => {
    const more = (pushed.get(candidate.source.sourceId)?.fresh ?? []).filter(
      ({ itemId }) => !candidate.fresh.some((item) => item.itemId === itemId),
    )
    return { ...candidate, fresh: [...candidate.fresh, ...more] }
  })
  return [...joined, ...hinted.filter(({ source }) => !looked.has(source.sourceId))]
})

/** When what was pushed is described, in epoch milliseconds; `null` where nothing waits. */
export const hintsDueAt = ({ rows }: Store["Service"], lookedUntil: number, minimumMs: number): number | null => {
  const [{ first } = { first: null }] = rows<{ first: number | null }>(statements.selectFirstHint)
  if (first === null) return null
  const at = first + Math.min(collectedForMs, minimumMs)
  return lookedUntil >= at ? lookedUntil + minimumMs : at
}
