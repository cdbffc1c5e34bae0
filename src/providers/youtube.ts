import { Duration, Effect, Option, Schema } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { Availability, ListedItem } from "../domain/item.ts"
import { nextPacificMidnight } from "../domain/quota.ts"
import { type Source, toDetails } from "../domain/subscription.ts"
import { AccessTokenRejected, type RequestError, ScopeMissing, SourceMissing } from "./error.ts"
import type { Answer, ProviderHttp } from "./ProviderHttp.ts"
import type { Page, PageRequest, ProviderClient } from "./provider.ts"
import { maybe, type Read, reader } from "./read.ts"
import { retryAfter } from "./retryAfter.ts"

const provider = "youtube"

/** Most entries that YouTube returns at once, and most ids that it takes. */
const pageSize = 50

const Thumbnails = Schema.Record(Schema.String, Schema.Struct({ url: Schema.String }))
const listOf = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({
    items: Schema.Array(item),
    etag: Schema.optionalKey(Schema.String),
    nextPageToken: Schema.optionalKey(Schema.String),
    /** The total is approximate: https://developers.google.com/youtube/v3/docs/subscriptions/list#pageInfo.totalResults */
    pageInfo: Schema.optionalKey(Schema.Struct({ totalResults: Schema.optionalKey(Schema.Int) })),
  })

/** https://developers.google.com/youtube/v3/docs/subscriptions */
const Subscriptions = listOf(
  Schema.Struct({
    snippet: Schema.Struct({
      title: Schema.String,
      resourceId: Schema.Struct({ channelId: Schema.String }),
      thumbnails: Schema.optionalKey(Thumbnails),
    }),
    contentDetails: Schema.optionalKey(Schema.Struct({ totalItemCount: Schema.optionalKey(Schema.Int) })),
  }),
)

/** https://developers.google.com/youtube/v3/docs/playlistItems */
const PlaylistItem = Schema.Struct({
  snippet: Schema.Struct({
    title: Schema.String,
    description: maybe(Schema.String),
    publishedAt: maybe(Schema.String),
    thumbnails: Schema.optionalKey(Thumbnails),
  }),
  contentDetails: Schema.Struct({ videoId: Schema.String, videoPublishedAt: Schema.optionalKey(Schema.String) }),
  status: Schema.optionalKey(Schema.Struct({ privacyStatus: Schema.optionalKey(Schema.String) })),
})
const PlaylistItems = listOf(PlaylistItem)

/** https://developers.google.com/youtube/v3/docs/videos */
const Video = Schema.Struct({
  id: Schema.String,
  snippet: Schema.Struct({
    title: Schema.String,
    description: maybe(Schema.String),
    publishedAt: maybe(Schema.String),
    thumbnails: Schema.optionalKey(Thumbnails),
    /** `upcoming`, `live` or `none`. */
    liveBroadcastContent: maybe(Schema.String),
  }),
  contentDetails: Schema.optionalKey(Schema.Struct({ duration: Schema.optionalKey(Schema.String) })),
  liveStreamingDetails: Schema.optionalKey(Schema.Struct({ scheduledStartTime: Schema.optionalKey(Schema.String) })),
})
const Videos = listOf(Video)
const Channels = Schema.Struct({ items: Schema.optionalKey(Schema.Array(Schema.Struct({ id: Schema.String }))) })

const ApiError = Schema.Struct({
  error: Schema.Struct({
    errors: Schema.optionalKey(Schema.Array(Schema.Struct({ reason: Schema.String }))),
  }),
})
const readError = Schema.decodeUnknownOption(ApiError)
const durationFromIso = Schema.decodeUnknownOption(Schema.DurationFromIsoString)

const epochMillis = (text: string | null | undefined): number | null => {
  const at = text == null ? Number.NaN : Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, at)
}

/** The uploads playlist of channel `UC…` is `UU…`. */
const uploadsPlaylist = (channelId: string): string => channelId.replace(/^UC/, "UU")

const imageOf = (thumbnails: typeof Thumbnails.Type | undefined): string | null =>
  (thumbnails?.["high"] ?? thumbnails?.["medium"] ?? thumbnails?.["default"])?.url ?? null

const kind = "video"
const itemUrl = (videoId: string): string => `https://www.youtube.com/watch?v=${videoId}`

/** Private and deleted videos stay in the playlist as a title without a publication date. */
const toItem = (sourceId: string, { snippet, contentDetails, status }: typeof PlaylistItem.Type): ListedItem => {
  const publishedAt = epochMillis(contentDetails.videoPublishedAt)
  const isWithheld = publishedAt === null || status?.privacyStatus === "private"
  return {
    provider,
    itemId: contentDetails.videoId,
    sourceId,
    kind,
    title: snippet.title,
    description: snippet.description ?? "",
    url: itemUrl(contentDetails.videoId),
    imageUrl: imageOf(snippet.thumbnails),
    publishedAt: publishedAt ?? epochMillis(snippet.publishedAt) ?? 0,
    precision: "instant",
    durationMs: null,
    isLive: false,
    availability: isWithheld ? "withheld" : "available",
    startsAt: null,
  }
}

/** `P0D` is a live stream's duration: none yet. */
const durationOf = (iso: string | undefined): number | null =>
  Option.match(durationFromIso(iso), {
    onNone: () => null,
    onSome: (duration) => Math.round(Duration.toMillis(duration)) || null,
  })

const described = (item: ListedItem, video: typeof Video.Type | undefined): ListedItem => {
  if (video === undefined) return { ...item, availability: "withheld" }
  const live = video.snippet.liveBroadcastContent
  const availability: Availability = live === "upcoming" || live === "live" ? live : "available"
  return {
    ...item,
    title: video.snippet.title,
    description: video.snippet.description ?? item.description,
    publishedAt: epochMillis(video.snippet.publishedAt) ?? item.publishedAt,
    imageUrl: imageOf(video.snippet.thumbnails) ?? item.imageUrl,
    durationMs: durationOf(video.contentDetails?.duration),
    isLive: live === "live",
    availability,
    startsAt: epochMillis(video.liveStreamingDetails?.scheduledStartTime),
  }
}

/** Reasons: https://developers.google.com/youtube/v3/docs/errors. The daily quota comes back at midnight Pacific time. */
const refuse = (answer: Answer, now: number): RequestError => {
  const read = readError(answer.body)
  const reason = Option.isSome(read) ? (read.value.error.errors?.[0]?.reason ?? "") : ""
  if (answer.status === 401) return new AccessTokenRejected({ provider })
  if (reason === "quotaExceeded" || reason === "dailyLimitExceeded") {
    return new RateLimited({ provider, reason: "quota_exceeded", retryAt: nextPacificMidnight(now) })
  }
  if (answer.status === 429 || reason === "rateLimitExceeded" || reason === "userRateLimitExceeded") {
    return new RateLimited({
      provider,
      reason: "rate_limited",
      retryAt: retryAfter(answer.headers.get("retry-after"), now),
    })
  }
  if (answer.status === 404) {
    return new SourceMissing({ provider, state: reason === "playlistNotFound" ? "empty" : "gone" })
  }
  // Any other 403 concerns the resource, such as a private playlist: connecting again would not help.
  if (reason === "insufficientPermissions" || reason === "ACCESS_TOKEN_SCOPE_INSUFFICIENT") {
    return new ScopeMissing({ provider, reason })
  }
  return new ProviderUnavailable({ provider, reason: `answered ${answer.status} ${reason}`.trim(), retryAt: null })
}

/** A page as pollen reads it. */
const toPage = <A>(
  { body, etag }: Read<Omit<(typeof PlaylistItems)["Type"], "items">>,
  entries: ReadonlyArray<A>,
): Page<A> => ({
  isModified: true,
  entries,
  etag: etag ?? body.etag ?? null,
  next: body.nextPageToken ?? null,
  size: entries.length,
  total: body.pageInfo?.totalResults ?? null,
})

/** The YouTube Data API v3. Each request costs one unit of the quota, a 304 included. */
export const youtubeClient = (apiUrl: string, http: ProviderHttp["Service"]): ProviderClient => {
  const get = reader(provider, apiUrl, http, refuse)
  const getSubscriptions = get(Subscriptions)
  const getPlaylistItems = get(PlaylistItems)
  const getVideos = get(Videos)
  const getChannels = get(Channels)
  const paged = ({ key }: PageRequest) => ({
    maxResults: String(pageSize),
    ...(key === null ? {} : { pageToken: key }),
  })

  return {
    provider,
    kind,
    itemUrl,
    isTotalExact: false,
    library: Effect.fnUntraced(function* (token, page) {
      const query = { mine: "true", part: "snippet,contentDetails", order: "alphabetical", ...paged(page) }
      const read = yield* getSubscriptions(token, "/subscriptions", query, page.etag)
      if (!read.isModified) return read
      const entries = read.body.items.map(({ snippet, contentDetails }): Source => {
        const { channelId } = snippet.resourceId
        return {
          sourceId: channelId,
          ...toDetails({
            title: snippet.title,
            url: `https://www.youtube.com/channel/${channelId}`,
            imageUrl: imageOf(snippet.thumbnails),
          }),
          itemCount: contentDetails?.totalItemCount ?? null,
        }
      })
      return toPage(read, entries)
    }),
    items: Effect.fnUntraced(function* (token, sourceId, page) {
      const query = { part: "snippet,contentDetails,status", playlistId: uploadsPlaylist(sourceId), ...paged(page) }
      const read = yield* getPlaylistItems(token, "/playlistItems", query, page.etag)
      if (!read.isModified) return read
      return toPage(
        read,
        read.body.items.map((item) => toItem(sourceId, item)),
      )
    }),
    describe: Effect.fnUntraced(function* (token, items) {
      if (items.length === 0) return items
      const query = {
        part: "snippet,contentDetails,liveStreamingDetails",
        id: items.map(({ itemId }) => itemId).join(","),
        maxResults: String(pageSize),
      }
      const read = yield* getVideos(token, "/videos", query, null)
      const videos = new Map(read.isModified ? read.body.items.map((video) => [video.id, video]) : [])
      return items.map((item) => described(item, videos.get(item.itemId)))
    }),
    validate: (token) => Effect.asVoid(getChannels(token, "/channels", { part: "id", mine: "true" }, null)),
  }
}
