import { Effect, Schema } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { ListedItem, Precision } from "../domain/item.ts"
import { type Source, toDetails } from "../domain/subscription.ts"
import { AccessTokenRejected, type RequestError, ScopeMissing, SourceMissing } from "./error.ts"
import type { Answer, ProviderHttp } from "./ProviderHttp.ts"
import type { Page, PageRequest, ProviderClient } from "./provider.ts"
import { maybe, type Read, reader } from "./read.ts"
import { retryAfter } from "./retryAfter.ts"

const provider = "spotify"

/** Most entries that Spotify returns at once. */
const pageSize = 50

const Images = maybe(Schema.Array(Schema.Struct({ url: Schema.String })))
const Urls = maybe(Schema.Struct({ spotify: maybe(Schema.String) }))

const Paging = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), total: Schema.Int, next: Schema.NullOr(Schema.String) })

/** https://developer.spotify.com/documentation/web-api/reference/get-users-saved-shows */
const SavedShows = Paging(
  Schema.NullOr(
    Schema.Struct({
      show: Schema.NullOr(
        Schema.Struct({
          id: Schema.String,
          name: Schema.String,
          external_urls: Urls,
          images: Images,
          total_episodes: maybe(Schema.Int),
        }),
      ),
    }),
  ),
)

/** https://developer.spotify.com/documentation/web-api/reference/get-a-shows-episodes; entries can be `null`. */
const Episode = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: maybe(Schema.String),
  external_urls: Urls,
  images: Images,
  release_date: maybe(Schema.String),
  release_date_precision: maybe(Schema.Literals(["year", "month", "day"])),
  duration_ms: maybe(Schema.Number),
  is_playable: maybe(Schema.Boolean),
})
const Episodes = Paging(Schema.NullOr(Episode))

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

const kind = "episode"
const showUrl = (id: string) => `https://open.spotify.com/show/${id}`
const itemUrl = (id: string) => `https://open.spotify.com/episode/${id}`

const toItem = (sourceId: string, episode: typeof Episode.Type): ListedItem => ({
  provider,
  itemId: episode.id,
  sourceId,
  kind,
  title: episode.name,
  description: episode.description ?? "",
  url: episode.external_urls?.spotify ?? itemUrl(episode.id),
  imageUrl: episode.images?.[0]?.url ?? null,
  publishedAt: releasedAt(episode.release_date ?? "", episode.release_date_precision ?? "year"),
  precision: episode.release_date_precision ?? "year",
  durationMs: episode.duration_ms == null ? null : Math.round(episode.duration_ms),
  isLive: false,
  availability: episode.is_playable === false ? "unplayable" : "available",
  startsAt: null,
})

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

/** A page as pollen reads it. The key of the next is the offset in its address. */
const toPage = <A>(
  {
    body,
    etag,
  }: Read<{ readonly items: ReadonlyArray<unknown>; readonly next: string | null; readonly total: number }>,
  entries: ReadonlyArray<A>,
): Page<A> => ({
  isModified: true,
  entries,
  etag,
  next: body.next === null ? null : (URL.parse(body.next)?.searchParams.get("offset") ?? null),
  size: body.items.length,
  total: body.total,
})

/** Spotify's Web API: https://developer.spotify.com/documentation/web-api */
export const spotifyClient = (apiUrl: string, http: ProviderHttp["Service"]): ProviderClient => {
  const get = reader(provider, apiUrl, http, refuse)
  const getShows = get(SavedShows)
  const getEpisodes = get(Episodes)
  const paged = ({ key }: PageRequest) => ({ limit: String(pageSize), offset: key ?? "0" })

  return {
    provider,
    kind,
    itemUrl,
    isTotalExact: true,
    library: Effect.fnUntraced(function* (token, page) {
      const read = yield* getShows(token, "/me/shows", paged(page), page.etag)
      if (!read.isModified) return read
      const entries = read.body.items.flatMap((entry): ReadonlyArray<Source> => {
        const show = entry?.show ?? null
        if (show === null) return []
        const imageUrl = show.images?.[0]?.url ?? null
        const details = toDetails({ title: show.name, url: show.external_urls?.spotify ?? showUrl(show.id), imageUrl })
        return [{ sourceId: show.id, ...details, itemCount: show.total_episodes ?? null }]
      })
      return toPage(read, entries)
    }),
    items: Effect.fnUntraced(function* (token, sourceId, page) {
      const path = `/shows/${encodeURIComponent(sourceId)}/episodes`
      const read = yield* getEpisodes(token, path, paged(page), page.etag)
      if (!read.isModified) return read
      return toPage(
        read,
        read.body.items.flatMap((episode) => (episode === null ? [] : [toItem(sourceId, episode)])),
      )
    }),
    describe: null,
    validate: (token) => Effect.asVoid(getShows(token, "/me/shows", { limit: "1", offset: "0" }, null)),
  }
}
