import { digest } from "../etag.ts"
import type { Item, Source } from "../state/catalogue.ts"
import type { Followed } from "../state/library.ts"
import type { Shown } from "../state/looks.ts"

/** The parts of a resource that were asked for, in the service's order. */
type Parts = ReadonlySet<string>

const pick = <T extends object>(parts: Parts, all: T): Partial<T> =>
  Object.fromEntries(Object.entries(all).filter(([part]) => parts.has(part))) as Partial<T>

/** YouTube writes whole seconds. */
const timestamp = (at: number): string => new Date(at).toISOString().replace(/\.\d+Z$/, "Z")

const picture = (url: string) => ({
  default: { url: `${url}/default.jpg`, width: 120, height: 90 },
  medium: { url: `${url}/mqdefault.jpg`, width: 320, height: 180 },
  high: { url: `${url}/hqdefault.jpg`, width: 480, height: 360 },
})

const uploadsPlaylist = (channelId: string): string => `UU${channelId.slice(2)}`

export const subscriptionObject = (parts: Parts, person: string, followed: Followed, shown: Shown) => {
  const { source, addedAt, subscriptionId } = followed
  return {
    kind: "youtube#subscription",
    etag: digest(`${subscriptionId} ${shown.version}`),
    id: subscriptionId,
    ...pick(parts, {
      snippet: {
        publishedAt: new Date(addedAt).toISOString(),
        title: source.title,
        description: `All about ${source.title}.`,
        resourceId: { kind: "youtube#channel", channelId: source.id },
        channelId: ownChannelId(person),
        thumbnails: picture(`https://yt3.ggpht.com/${source.id}`),
      },
      contentDetails: { totalItemCount: shown.total, newItemCount: shown.published, activityType: "all" },
    }),
  }
}

/** The channel that every account has, as an id. */
const ownChannelId = (person: string): string => `UC${digest(person).padEnd(22, "0").slice(0, 22)}`

export const ownChannelObject = (parts: Parts, person: string) => ({
  kind: "youtube#channel",
  etag: digest(`own ${person}`),
  id: ownChannelId(person),
  ...pick(parts, {
    snippet: { title: person, description: "", thumbnails: picture("https://yt3.ggpht.com/person") },
    contentDetails: { relatedPlaylists: { likes: "LL", uploads: uploadsPlaylist(ownChannelId(person)) } },
    statistics: { viewCount: "0", subscriberCount: "0", hiddenSubscriberCount: false, videoCount: "0" },
    status: { privacyStatus: "public", isLinked: true },
  }),
})

export const channelObject = (parts: Parts, source: Source, shown: Shown) => ({
  kind: "youtube#channel",
  etag: digest(`channel ${source.id} ${shown.version}`),
  id: source.id,
  ...pick(parts, {
    snippet: {
      title: source.title,
      description: `All about ${source.title}.`,
      publishedAt: timestamp(source.createdAt),
      thumbnails: picture(`https://yt3.ggpht.com/${source.id}`),
    },
    contentDetails: { relatedPlaylists: { likes: "", uploads: uploadsPlaylist(source.id) } },
    statistics: { viewCount: "1", subscriberCount: "1", hiddenSubscriberCount: false, videoCount: String(shown.total) },
    status: { privacyStatus: "public", isLinked: true, longUploadsStatus: "longUploadsUnspecified" },
  }),
})

const hidden = {
  private: { title: "Private video", description: "This video is private.", privacyStatus: "private" },
  deleted: {
    title: "Deleted video",
    description: "This video is unavailable.",
    privacyStatus: "privacyStatusUnspecified",
  },
} as const

const descriptionOf = (item: Item): string => `${item.title}, told at length. ${"And more of it. ".repeat(6)}`

/** `position` counts from 0 at the front. */
export const playlistItemObject = (parts: Parts, item: Item, position: number) => {
  const { source } = item
  const playlistId = uploadsPlaylist(source.id)
  const cover = item.kind === "private" || item.kind === "deleted" ? hidden[item.kind] : undefined
  return {
    kind: "youtube#playlistItem",
    etag: digest(`${item.id} ${item.version} ${position}`),
    id: Buffer.from(`${playlistId}.${item.id}`).toString("base64url"),
    ...pick(parts, {
      snippet: {
        publishedAt: timestamp(item.publishedAt),
        channelId: source.id,
        title: cover?.title ?? item.title,
        // Listings cut descriptions short; videos.list has the whole.
        description: cover?.description ?? `${descriptionOf(item).slice(0, 60)}...`,
        thumbnails: cover === undefined ? picture(`https://i.ytimg.com/vi/${item.id}`) : {},
        channelTitle: source.title,
        playlistId,
        position,
        resourceId: { kind: "youtube#video", videoId: item.id },
        ...(cover === undefined ? { videoOwnerChannelTitle: source.title, videoOwnerChannelId: source.id } : {}),
      },
      contentDetails: {
        videoId: item.id,
        ...(cover === undefined ? { videoPublishedAt: timestamp(item.publishedAt) } : {}),
      },
      status: { privacyStatus: cover?.privacyStatus ?? "public" },
    }),
  }
}

const durationOf = (item: Item): string => {
  if (item.kind === "upcoming" || item.kind === "live") return "P0D"
  if (item.kind === "short") return "PT45S"
  return `PT${10 + (Math.abs(item.number) % 40)}M${1 + (Math.abs(item.number) % 59)}S`
}

const liveStreamingDetails = (item: Item) => {
  const wasBroadcast = item.kind === "upcoming" || item.startedAt !== undefined
  if (!wasBroadcast) return {}
  return {
    liveStreamingDetails: {
      scheduledStartTime: timestamp(item.scheduledStart),
      ...(item.startedAt === undefined ? {} : { actualStartTime: timestamp(item.startedAt) }),
      ...(item.endedAt === undefined ? {} : { actualEndTime: timestamp(item.endedAt) }),
    },
  }
}

export const videoObject = (parts: Parts, item: Item) => ({
  kind: "youtube#video",
  etag: digest(`${item.id} ${item.version}`),
  id: item.id,
  ...pick(parts, {
    snippet: {
      publishedAt: timestamp(item.publishedAt),
      channelId: item.source.id,
      title: item.title,
      description: descriptionOf(item),
      thumbnails: picture(`https://i.ytimg.com/vi/${item.id}`),
      channelTitle: item.source.title,
      categoryId: "28",
      liveBroadcastContent: item.kind === "upcoming" || item.kind === "live" ? item.kind : "none",
      localized: { title: item.title, description: descriptionOf(item) },
    },
    contentDetails: {
      duration: durationOf(item),
      dimension: "2d",
      definition: "hd",
      caption: "false",
      licensedContent: false,
      contentRating: {},
      projection: "rectangular",
    },
    status: {
      uploadStatus: item.kind === "upcoming" || item.kind === "live" ? "uploaded" : "processed",
      privacyStatus: "public",
      license: "youtube",
      embeddable: true,
      publicStatsViewable: true,
      madeForKids: false,
    },
    statistics: { viewCount: "1", likeCount: "1", favoriteCount: "0", commentCount: "0" },
    ...liveStreamingDetails(item),
  }),
})
