import { Effect, Schema } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { ListedItem, Precision } from "../domain/item.ts"
import type { Source } from "../domain/subscription.ts"
import { AccessTokenRejected, type RequestError, ScopeMissing, SourceMissing } from "./error.ts"
import type { Answer, ProviderHttp } from "./http.ts"
import type { Page, PageRequest, ProviderClient } from "./provider.ts"
import { type Read, reader } from "./read.ts"
import { retryAfter } from "./retryAfter.ts"

const provider = "spotify"

/** The most entries that Spotify gives at once. */
const pageSize = 50

const Images = Schema.Array(Schema.Struct({ url: Schema.String }))
const Url = Schema.Struct({ spotify: Schema.String })

const Paging = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), total: Schema.Int, next: Schema.NullOr(Schema.String) })

/** https://developer.spotify.com/documentation/web-api/reference/get-users-saved-shows */
const SavedShows = Paging(
  Schema.NullOr(
    Schema.Struct({
      show: Schema.Struct({
        id: Schema.String,
        name: Schema.String,
        external_urls: Url,
        images: Images,
        total_episodes: Schema.Int,
      }),
    }),
  ),
)

/** https://developer.spotify.com/documentation/web-api/reference/get-a-shows-episodes; entries can be `null`. */
const Episode = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  description: Schema.String,
  external_urls: Url,
  images: Images,
  release_date: Schema.String,
  release_date_precision: Schema.Literals(["year", "month", "day"]),
  duration_ms: Schema.Int,
  is_playable: Schema.optionalKey(Schema.Boolean),
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

const toItem = (sourceId: string, episode: typeof Episode.Type): ListedItem => ({
  provider,
  externalId: episode.id,
  sourceId,
  kind: "episode",
  title: episode.name,
  description: episode.description,
  url: episode.external_urls.spotify,
  imageUrl: episode.images[0]?.url ?? null,
  publishedAt: releasedAt(episode.release_date, episode.release_date_precision),
  precision: episode.release_date_precision,
  durationMs: episode.duration_ms,
  isLive: false,
  availability: episode.is_playable === false ? "unplayable" : "available",
  startsAt: null,
})

/** Statuses of the Web API: https://developer.spotify.com/documentation/web-api/concepts/api-calls#response-status-codes */
const refuse = (answer: Answer, now: number): RequestError => {
  const { message, reason } = readError(answer.body).pipe((read) => (read._tag === "Some" ? read.value.error : {}))
  if (answer.status === 401) return new AccessTokenRejected({ provider })
  if (answer.status === 403) return new ScopeMissing({ provider, reason: message?.slice(0, 200) ?? "forbidden" })
  if (answer.status === 404) return new SourceMissing({ provider, state: "gone" })
  if (answer.status === 429) {
    return new RateLimited({
      provider,
      reason: reason === "QUOTA_EXCEEDED" ? "quota_exceeded" : "rate_limited",
      retryAt: retryAfter(answer.headers["retry-after"], now),
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
    isTotalExact: true,
    isDescribing: false,
    library: Effect.fn("spotify.library")(function* (token, page) {
      const read = yield* getShows(token, "/me/shows", paged(page), page.etag)
      if (!read.isModified) return read
      const entries = read.body.items.flatMap((entry): ReadonlyArray<Source> => {
        if (entry === null) return []
        const { id, name, external_urls, images, total_episodes } = entry.show
        const imageUrl = images[0]?.url ?? null
        return [{ externalId: id, title: name, url: external_urls.spotify, imageUrl, itemCount: total_episodes }]
      })
      return toPage(read, entries)
    }),
    items: Effect.fn("spotify.items")(function* (token, sourceId, page) {
      const path = `/shows/${encodeURIComponent(sourceId)}/episodes`
      const read = yield* getEpisodes(token, path, paged(page), page.etag)
      if (!read.isModified) return read
      return toPage(
        read,
        read.body.items.flatMap((episode) => (episode === null ? [] : [toItem(sourceId, episode)])),
      )
    }),
    describe: (_token, items) => Effect.succeed(items),
    validate: (token) => Effect.asVoid(getShows(token, "/me/shows", { limit: "1", offset: "0" }, null)),
  }
}
