import { Array as Arr, Clock, Effect } from "effect"
import { ProviderUnavailable } from "../../domain/error.ts"
import type { Availability, ListedItem } from "../../domain/item.ts"
import { isNextPageNeeded, isSoughtBelow, newItems, searchedPages } from "../../domain/novelty.ts"
import type { ProviderClient } from "../../providers/provider.ts"
import { Settings, type SettingsShape } from "../Settings.ts"
import { Store } from "../Store.ts"
import { Access } from "./Access.ts"
import { type Listing, readListing, type Sharing } from "./listing.ts"
import { type Found, recordCheck, recordFailure, recordMissing } from "./recordCheck.ts"
import { type KnownItem, type PendingSource, selectItems } from "./statements.ts"

/** Items that a provider describes at once. */
export const describedAtOnce = 50

export const readItems = (
  { rows }: Store["Service"],
  { provider, sourceId }: PendingSource,
): ReadonlyArray<KnownItem> => JSON.parse(rows<{ known: string }>(selectItems, provider, sourceId)[0]?.known ?? "[]")

/** Stands for a waiting item that is not listed; `describe` fills in the rest. */
export const placeholder = (
  { provider, kind, itemUrl }: ProviderClient,
  sourceId: string,
  { itemId, publishedAt }: KnownItem,
  availability: Availability,
): ListedItem => ({
  provider,
  itemId,
  sourceId,
  kind,
  title: "",
  description: "",
  url: itemUrl(itemId),
  imageUrl: null,
  publishedAt,
  precision: "instant",
  durationMs: null,
  isLive: false,
  availability,
  startsAt: null,
})

/** Longest age of a listing that somebody else has read after the count moved, in milliseconds: the count may have moved on and back. */
const sharedAgeMs = 6 * 3_600_000

/**
 * What somebody else has read may be used if it is later than what is known here, tells of the count that the library shows, and is not
 * too old: half of the time after which the source would be asked by itself. What they could not play, this person perhaps can.
 */
const sharingFor = (
  row: PendingSource,
  known: ReadonlyMap<string, KnownItem>,
  { recheckMs }: Pick<SettingsShape, "recheckMs">,
  now: number,
): Sharing => ({
  after: Math.max(row.polledAt ?? 0, now - (row.listedCount === row.itemCount ? recheckMs / 2 : sharedAgeMs)),
  isUsable: (items, total) =>
    total === row.listedCount &&
    items.every(({ itemId, availability }) => availability === "available" || known.has(itemId)),
})

const check = Effect.fnUntraced(function* (client: ProviderClient, row: PendingSource) {
  const store = yield* Store
  const { withToken } = yield* Access
  const settings = yield* Settings
  const { provider, describe } = client
  const rows = readItems(store, row)
  const known = new Map(rows.map((item) => [item.itemId, item]))
  const isFirst = row.backfilledAt === null
  const { listedCount, archiveBefore } = row
  const growth = Math.max(0, (listedCount ?? 0) - (row.itemCount ?? 0))
  const now = yield* Clock.currentTimeMillis
  const waiting = rows.filter(({ state }) => state === "waiting")
  const sought = new Set(
    describe !== null ? [] : waiting.flatMap(({ itemId, recheckAt }) => ((recheckAt ?? 0) <= now ? [itemId] : [])),
  )
  const isSearched = (pages: Listing["pages"]) => {
    const listed = new Set(pages.flatMap((page) => page.map(({ itemId }) => itemId)))
    return pages.length >= searchedPages || [...sought].every((id) => listed.has(id))
  }
  const isBackfillShort = (pages: Listing["pages"]) => pages.flat().length < Math.max(1, settings.backfillItems)
  // A recheck is for what the provider does not tell by itself, and trusts its entity tags as little as its counts.
  const isTagTrusted = !isFirst && sought.size === 0 && row.recheckDueAt > now
  const { etag, pages, isWhole, isUnchanged, size, unreadable } = yield* readListing(
    client,
    row.sourceId,
    isTagTrusted ? row.etag : null,
    isFirst
      ? isBackfillShort
      : (soFar, total) =>
          isNextPageNeeded(soFar, known, archiveBefore, growth) ||
          isSoughtBelow(soFar, known, archiveBefore, { growth, count: listedCount, total }) ||
          !isSearched(soFar),
    sought.size > 0 ? null : sharingFor(row, known, settings, now),
  )
  const isEmpty = !isUnchanged && size === 0
  if (isEmpty && (listedCount ?? 0) > 0) {
    const reason = `its listing is empty, though it counts ${listedCount} items`
    return yield* new ProviderUnavailable({ provider, reason, retryAt: null })
  }

  const listed = pages.flat()
  const unknown = newItems(listed, known, archiveBefore)
  const fresh = isFirst ? unknown.slice(0, settings.backfillItems) : unknown
  // An entry that cannot be read may be any of those that are looked for.
  const goneState: Availability = unreadable > 0 ? "upcoming" : "withheld"
  const listedById = new Map(listed.map((item) => [item.itemId, item]))
  const rechecked = waiting.map(
    (item) =>
      listedById.get(item.itemId) ??
      placeholder(client, row.sourceId, item, sought.has(item.itemId) ? goneState : "upcoming"),
  )
  const asListed = [...fresh, ...rechecked]
  const complete =
    describe === null
      ? asListed
      : (yield* Effect.forEach(Arr.chunksOf(asListed, describedAtOnce), (chunk) =>
          withToken(provider, (token) => describe(token, chunk)),
        )).flat()
  return {
    known,
    // What cannot be read is to be sent again, though it has not changed.
    etag: unreadable > 0 ? null : etag,
    isUnchanged,
    // Until something has been listed, a source that is not known to be empty stays to be looked at for the first time.
    isBackfilled: !isFirst || listed.length > 0 || (isEmpty && listedCount === 0),
    fresh: complete.slice(0, fresh.length),
    archive: isFirst ? unknown.slice(settings.backfillItems) : [],
    archiveBefore: isFirst ? (isWhole ? null : (listed.at(-1)?.publishedAt ?? null)) : archiveBefore,
    rechecked: complete.slice(fresh.length),
  } satisfies Found
})

/**
 * Asks one source for new items and records the result. Returns how many were found, or `null` when this source alone failed, which
 * is recorded too. Fails only with what concerns the whole account.
 */
export const checkSource = Effect.fnUntraced(function* (client: ProviderClient, row: PendingSource) {
  return yield* check(client, row).pipe(
    Effect.flatMap((found) => recordCheck(row, found)),
    Effect.catchTags({
      SourceMissing: (missing) => Effect.as(recordMissing(row, missing), null),
      ProviderUnavailable: ({ reason }) => Effect.as(recordFailure(row, reason), null),
    }),
    // A defect over one source must not stop the others.
    Effect.catchDefect((defect) =>
      Effect.logError(`A check of ${row.provider} ${row.sourceId} broke; it is tried again`, defect).pipe(
        Effect.andThen(recordFailure(row, "pollen itself failed; its log says why")),
        Effect.as(null),
      ),
    ),
  )
})
