import { Effect, Schema } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import { Id } from "../domain/id.ts"
import type { ListedItem, Precision } from "../domain/item.ts"
import { type Source, toDetails } from "../domain/subscription.ts"
import { webAddress } from "../domain/text.ts"
import { itemKind, itemPage, sourcePage } from "../domain/webPages.ts"
import { AccessTokenRejected, type RequestError, ScopeMissing, SourceMissing } from "./error.ts"
import type { Answer, ProviderHttp } from "./ProviderHttp.ts"
import {
  Entries,
  type Entry,
  entriesReader,
  field,
  integer,
  logUnreadable,
  nextPageLost,
  number,
  text,
} from "./pages.ts"
import type { Page, PageRequest, ProviderClient } from "./provider.ts"
import { type Read, reader } from "./read.ts"
import { retryAfter } from "./retryAfter.ts"

const provider = "spotify"

/** Most entries that Spotify returns at once. */
const pageSize = 50

const Paging = Schema.Struct({
  items: Entries,
  total: Schema.Int,
  next: Schema.NullOr(Schema.String),
})

/** https://developer.spotify.com/documentation/web-api/reference/get-users-saved-shows */
const SavedShow = Schema.Struct({ show: Schema.Struct({ id: Id, name: Schema.String }) })
const readShows = entriesReader(SavedShow)

/** https://developer.spotify.com/documentation/web-api/reference/get-a-shows-episodes; entries can be `null`. */
const Episode = Schema.Struct({ id: Id, name: Schema.String })
const readEpisodes = entriesReader(Episode)

const ApiError = Schema.Struct({
  error: Schema.Struct({ message: Schema.optionalKey(Schema.String), reason: Schema.optionalKey(Schema.String) }),
})
const readError = Schema.decodeUnknownOption(ApiError)

/** The first moment of a release date: epoch milliseconds. Spotify writes "0000" for an unknown year. */
const releasedAt = (date: string, precision: Precision): number => {
  const [year = "", month = "01", day = "01"] = date.split("-")
  const parts = precision === "year" ? [year] : precision === "month" ? [year, month] : [year, month, day]
  const at = Date.parse(`${[...parts, "01", "01"].slice(0, 3).join("-")}T00:00:00Z`)
  return Number.isNaN(at) ? 0 : Math.max(0, at)
}

const kind = itemKind.spotify

const precisions: ReadonlyArray<unknown> = ["year", "month", "day"] satisfies ReadonlyArray<Precision>
const isPrecision = (value: unknown): value is Precision => precisions.includes(value)

/** The precision of a date; of one that comes without, or with one that nobody knows, as much as is written. */
const precisionOf = (date: string, told: unknown): Precision => {
  if (isPrecision(told)) return told
  return /^\d{4}-\d\d-\d\d/.test(date) ? "day" : /^\d{4}-\d\d$/.test(date) ? "month" : "year"
}

const urlOf = (shown: unknown): string | null => webAddress(text(field(field(shown, "external_urls"), "spotify")))
const imageOf = (shown: unknown): string | null => text(field(field(field(shown, "images"), "0"), "url"))

const toItem = (sourceId: string, { has, all }: Entry<typeof Episode.Type>): ListedItem => {
  const date = text(field(all, "release_date")) ?? ""
  const precision = precisionOf(date, field(all, "release_date_precision"))
  return {
    provider,
    itemId: has.id,
    sourceId,
    kind,
    title: has.name,
    description: text(field(all, "description")) ?? "",
    url: urlOf(all) ?? itemPage.spotify(has.id),
    imageUrl: imageOf(all),
    publishedAt: releasedAt(date, precision),
    precision,
    durationMs: number(field(all, "duration_ms")),
    isLive: false,
    availability: field(all, "is_playable") === false ? "unplayable" : "available",
    startsAt: null,
  }
}

/** Statuses of the Web API: https://developer.spotify.com/documentation/web-api/concepts/api-calls#response-status-codes */
const refuse = (answer: Answer, now: number): RequestError => {
  const { message, reason } = readError(answer.body).pipe((read) => (read._tag === "Some" ? read.value.error : {}))
  if (answer.status === 401) return new AccessTokenRejected({ provider })
  // Any other 403 concerns the resource or the application: connecting again would not help.
  if (answer.status === 403 && message?.includes("scope")) {
    return new ScopeMissing({ provider, reason: message.slice(0, 200) })
  }
  if (answer.status === 404) return new SourceMissing({ provider, state: "gone" })
  if (answer.status === 429) {
    return new RateLimited({
      provider,
      reason: reason === "QUOTA_EXCEEDED" ? "quota_exceeded" : "rate_limited",
      retryAt: retryAfter(answer.headers.get("retry-after"), now),
    })
  }
  return new ProviderUnavailable({ provider, reason: `answered ${answer.status}`, retryAt: null })
}

/**
 * The offset of the next page, `null` on the last; `undefined` where the answer contradicts itself. The address of the next page names
 * it, and it never lies beyond the end of this page, so that nothing is left out.
 */
const nextOffset = ({ items, next, total }: typeof Paging.Type, key: string | null): number | null | undefined => {
  const from = Number(key ?? 0)
  const end = from + items.length
  if (next === null) {
    const isCut = end < total && (items.length >= pageSize || (items.length === 0 && from > 0))
    return isCut ? undefined : null
  }
  const offset = URL.parse(next)?.searchParams.get("offset") ?? ""
  const at = /^\d+$/.test(offset) ? Math.min(Number(offset), end) : from
  return at > from ? at : undefined
}

/** A page as pollen reads it. */
const toPage = Effect.fnUntraced(function* <A>(
  { body, etag }: Read<typeof Paging.Type>,
  { key }: PageRequest,
  what: string,
  entries: ReadonlyArray<A>,
): Effect.fn.Return<Page<A>, RequestError> {
  const size = body.items.length
  const unreadable = size - entries.length
  const next = nextOffset(body, key)
  if (next === undefined) return yield* nextPageLost(provider)
  yield* logUnreadable(provider, what, size, unreadable)
  return {
    isModified: true,
    entries,
    etag,
    next: next === null ? null : String(next),
    size,
    unreadable,
    total: body.total,
  }
})

/** The only ids that cannot stand in a path: it is resolved before it is asked for, however they are written (RFC 3986, 5.2.4). */
const isDots = (id: string): boolean => id === "." || id === ".."

const notAddressable = new ProviderUnavailable({
  provider,
  reason: "its id cannot be part of an address",
  retryAt: null,
})

/** Spotify's Web API: https://developer.spotify.com/documentation/web-api */
export const spotifyClient = (apiUrl: string, http: ProviderHttp["Service"]): ProviderClient => {
  const get = reader(provider, apiUrl, http, refuse)(Paging)
  const paged = ({ key }: PageRequest) => ({ limit: String(pageSize), offset: key ?? "0" })

  return {
    provider,
    kind,
    itemUrl: itemPage.spotify,
    isTotalExact: true,
    library: Effect.fnUntraced(function* (token, page) {
      const read = yield* get(token, "/me/shows", paged(page), page.etag)
      if (!read.isModified) return read
      const entries = readShows(read.body.items).map(({ has: { show }, all }): Source => {
        const shown = field(all, "show")
        const url = urlOf(shown) ?? sourcePage.spotify(show.id)
        const details = toDetails({ title: show.name, url, imageUrl: imageOf(shown) })
        return { sourceId: show.id, ...details, itemCount: integer(field(shown, "total_episodes")) }
      })
      return yield* toPage(read, page, "library", entries)
    }),
    items: Effect.fnUntraced(function* (token, sourceId, page) {
      if (isDots(sourceId)) return yield* notAddressable
      const path = `/shows/${encodeURIComponent(sourceId)}/episodes`
      const read = yield* get(token, path, paged(page), page.etag)
      if (!read.isModified) return read
      const entries = readEpisodes(read.body.items).map((episode) => toItem(sourceId, episode))
      return yield* toPage(read, page, `show ${sourceId}`, entries)
    }),
    describe: null,
    validate: (token) => Effect.asVoid(get(token, "/me/shows", { limit: "1", offset: "0" }, null)),
  }
}
