import { Duration, Effect, Option, Schema } from "effect"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import { Id } from "../domain/id.ts"
import type { Availability, ListedItem } from "../domain/item.ts"
import { nextPacificMidnight } from "../domain/quota.ts"
import { type Source, toDetails } from "../domain/subscription.ts"
import { itemKind, itemPage, sourcePage } from "../domain/webPages.ts"
import { AccessTokenRejected, type RequestError, ScopeMissing, SourceMissing } from "./error.ts"
import type { Answer, ProviderHttp } from "./ProviderHttp.ts"
import {
  Entries,
  type Entry,
  entriesReader,
  field,
  integer,
  lenient,
  logUnreadable,
  nextPageLost,
  notAsked,
  text,
} from "./pages.ts"
import type { Page, PageRequest, ProviderClient } from "./provider.ts"
import { type Read, reader } from "./read.ts"
import { retryAfter } from "./retryAfter.ts"

const provider = "youtube"

/** Most entries that YouTube returns at once, and most ids that it takes. */
const pageSize = 50

const List = Schema.Struct({
  items: Entries,
  etag: lenient(Schema.String),
  nextPageToken: Schema.optionalKey(Schema.String),
  /** The total is approximate: https://developers.google.com/youtube/v3/docs/subscriptions/list#pageInfo.totalResults */
  pageInfo: lenient(Schema.Struct({ totalResults: lenient(Schema.Int) })),
})

/** https://developers.google.com/youtube/v3/docs/subscriptions */
const Subscription = Schema.Struct({
  snippet: Schema.Struct({
    title: Schema.String,
    resourceId: Schema.Struct({ channelId: Id }),
  }),
})
const readSubscriptions = entriesReader(Subscription)

/** https://developers.google.com/youtube/v3/docs/playlistItems */
const PlaylistItem = Schema.Struct({
  snippet: Schema.Struct({ title: Schema.String }),
  contentDetails: Schema.Struct({ videoId: Id }),
})
const readPlaylistItems = entriesReader(PlaylistItem)

/** https://developers.google.com/youtube/v3/docs/videos */
const Video = Schema.Struct({
  id: Id,
  snippet: Schema.Struct({
    title: Schema.String,
    description: lenient(Schema.String),
    publishedAt: lenient(Schema.String),
    /** `upcoming`, `live` or `none`. */
    liveBroadcastContent: lenient(Schema.String),
  }),
  contentDetails: lenient(Schema.Struct({ duration: lenient(Schema.String) })),
  liveStreamingDetails: lenient(Schema.Struct({ scheduledStartTime: lenient(Schema.String) })),
})
const readVideos = entriesReader(Video)
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

const imageOf = (snippet: unknown): string | null => {
  const thumbnails = field(snippet, "thumbnails")
  const urlOf = (size: string) => text(field(field(thumbnails, size), "url"))
  return urlOf("high") ?? urlOf("medium") ?? urlOf("default")
}

const kind = itemKind.youtube

/** Private and deleted videos stay in the playlist as a title without a publication date. */
const toItem = (sourceId: string, { has, all }: Entry<typeof PlaylistItem.Type>): ListedItem => {
  const { videoId } = has.contentDetails
  const snippet = field(all, "snippet")
  const publishedAt = epochMillis(text(field(field(all, "contentDetails"), "videoPublishedAt")))
  const isWithheld = publishedAt === null || field(field(all, "status"), "privacyStatus") === "private"
  return {
    provider,
    itemId: videoId,
    sourceId,
    kind,
    title: has.snippet.title,
    description: text(field(snippet, "description")) ?? "",
    url: itemPage.youtube(videoId),
    imageUrl: imageOf(snippet),
    publishedAt: publishedAt ?? epochMillis(text(field(snippet, "publishedAt"))) ?? 0,
    precision: "instant",
    durationMs: null,
    isLive: false,
    availability: isWithheld ? "withheld" : "available",
    startsAt: null,
  }
}

/** `P0D` is a live stream's duration: none yet. */
const durationOf = (iso: string | null | undefined): number | null =>
  Option.match(durationFromIso(iso), {
    onNone: () => null,
    onSome: (duration) => Math.round(Duration.toMillis(duration)) || null,
  })

const described = (item: ListedItem, { has: video, all }: Entry<typeof Video.Type>): ListedItem => {
  const live = video.snippet.liveBroadcastContent
  const availability: Availability = live === "upcoming" || live === "live" ? live : "available"
  return {
    ...item,
    title: video.snippet.title,
    description: video.snippet.description ?? item.description,
    publishedAt: epochMillis(video.snippet.publishedAt) ?? item.publishedAt,
    imageUrl: imageOf(field(all, "snippet")) ?? item.imageUrl,
    durationMs: durationOf(video.contentDetails?.duration),
    isLive: live === "live",
    availability,
    startsAt: epochMillis(video.liveStreamingDetails?.scheduledStartTime),
  }
}

const reasonOf = ({ body }: Answer): string =>
  Option.match(readError(body), { onNone: () => "", onSome: ({ error }) => error.errors?.[0]?.reason ?? "" })

/** What one person has asked for too much concerns nobody else. */
const isPersonal = (answer: Answer): boolean => reasonOf(answer) === "userRateLimitExceeded"

/** Reasons: https://developers.google.com/youtube/v3/docs/errors. The daily quota comes back at midnight Pacific time. */
const refuse = (answer: Answer, now: number): RequestError => {
  const reason = reasonOf(answer)
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
const toPage = Effect.fnUntraced(function* <A>(
  { body, etag }: Read<typeof List.Type>,
  { key }: PageRequest,
  what: string,
  entries: ReadonlyArray<A>,
): Effect.fn.Return<Page<A>, RequestError> {
  const size = body.items.length
  const unreadable = size - entries.length
  const next = body.nextPageToken ?? null
  if (next === "" || (next !== null && next === key)) return yield* nextPageLost(provider)
  yield* logUnreadable(provider, what, size, unreadable)
  return {
    isModified: true,
    entries,
    etag: etag ?? body.etag ?? null,
    next,
    size,
    unreadable,
    total: body.pageInfo?.totalResults ?? null,
  }
})

/** Only the id of a video of which nothing else can be read. */
const readIds = entriesReader(Schema.Struct({ id: Id }))

/** The YouTube Data API v3. Each request costs one unit of the quota, a 304 included. */
export const youtubeClient = (apiUrl: string, http: ProviderHttp["Service"]): ProviderClient => {
  const get = reader(provider, apiUrl, http, refuse, isPersonal)
  const getList = get(List)
  const getChannels = get(Channels)
  const paged = ({ key }: PageRequest) => ({
    maxResults: String(pageSize),
    ...(key === null ? {} : { pageToken: key }),
  })

  return {
    provider,
    kind,
    itemUrl: itemPage.youtube,
    isTotalExact: false,
    library: Effect.fnUntraced(function* (token, page) {
      const query = { mine: "true", part: "snippet,contentDetails", order: "alphabetical", ...paged(page) }
      const read = yield* getList(token, "/subscriptions", query, page.etag)
      if (!read.isModified) return read
      const entries = readSubscriptions(read.body.items).map(({ has: { snippet }, all }): Source => {
        const { channelId } = snippet.resourceId
        return {
          sourceId: channelId,
          ...toDetails({
            title: snippet.title,
            url: sourcePage.youtube(channelId),
            imageUrl: imageOf(field(all, "snippet")),
          }),
          itemCount: integer(field(field(all, "contentDetails"), "totalItemCount")),
        }
      })
      return yield* toPage(read, page, "library", entries)
    }),
    items: Effect.fnUntraced(function* (token, sourceId, page) {
      const query = { part: "snippet,contentDetails,status", playlistId: uploadsPlaylist(sourceId), ...paged(page) }
      const read = yield* getList(token, "/playlistItems", query, page.etag)
      if (!read.isModified) return read
      const entries = readPlaylistItems(read.body.items).map((item) => toItem(sourceId, item))
      return yield* toPage(read, page, `channel ${sourceId}`, entries)
    }),
    describe: Effect.fnUntraced(function* (token, items) {
      // A comma parts ids: one with a comma in it cannot be asked for, and stays as it is listed.
      const ids = items.map(({ itemId }) => itemId).filter((id) => !id.includes(","))
      if (ids.length === 0) return items
      const asked = new Set(ids)
      const part = "snippet,contentDetails,liveStreamingDetails"
      const read = yield* getList(token, "/videos", { part, id: ids.join(","), maxResults: String(pageSize) }, null)
      if (!read.isModified) return yield* notAsked(provider)
      const listed = read.body.items
      const videos = new Map(readVideos(listed).map((video) => [video.has.id, video]))
      const named = new Set(readIds(listed).map(({ has: { id } }) => id))
      yield* logUnreadable(provider, "videos", listed.length, listed.length - videos.size)
      // An entry without an id that can be read may be any of them.
      const isNobodyMissing = readIds(listed).length < listed.length
      return items.map((item): ListedItem => {
        if (!asked.has(item.itemId)) return item
        const video = videos.get(item.itemId)
        if (video !== undefined) return described(item, video)
        const isUnreadable = isNobodyMissing || named.has(item.itemId)
        return { ...item, availability: isUnreadable ? "upcoming" : "withheld", startsAt: null }
      })
    }),
    validate: (token) => Effect.asVoid(getChannels(token, "/channels", { part: "id", mine: "true" }, null)),
  }
}
