// The two providers as plainly as they can be asked: the same requests as pollen makes, without its schemas.

export type Provider = "spotify" | "youtube"

export interface Source {
  readonly provider: Provider
  readonly externalId: string
  readonly title: string
  readonly url: string
  readonly imageUrl: string | null
  readonly itemCount: number | null
}

export interface Item {
  readonly provider: Provider
  readonly externalId: string
  readonly sourceId: string
  readonly kind: string
  readonly title: string
  readonly description: string
  readonly url: string
  readonly imageUrl: string | null
  readonly publishedAt: number
  readonly precision: string
  readonly durationMs: number | null
  readonly isLive: boolean
}

export interface Page<A> {
  readonly entries: ReadonlyArray<A>
  readonly etag: string | null
  readonly next: string | null
}

/** Asks for a page; `null` when it is as the entity tag says. */
export type Get = <Body>(url: string, etag: string | null) => Promise<{ body: Body; etag: string | null } | null>

interface Paging<A> {
  readonly items: ReadonlyArray<A | null>
  readonly next: string | null
}
interface Show {
  readonly id: string
  readonly name: string
  readonly external_urls: { readonly spotify: string }
  readonly images: ReadonlyArray<{ readonly url: string }>
  readonly total_episodes: number
}
interface Episode extends Omit<Show, "total_episodes"> {
  readonly description: string
  readonly release_date: string
  readonly release_date_precision: string
  readonly duration_ms: number
}

const offsetOf = (next: string | null) => (next === null ? null : new URL(next).searchParams.get("offset"))

const spotify = {
  library: async (get: Get, api: string, key: string | null, etag: string | null): Promise<Page<Source> | null> => {
    const read = await get<Paging<{ readonly show: Show }>>(`${api}/me/shows?limit=50&offset=${key ?? "0"}`, etag)
    if (read === null) return null
    const entries = read.body.items.flatMap((entry): ReadonlyArray<Source> => {
      if (entry === null) return []
      const { id, name, external_urls, images, total_episodes } = entry.show
      const imageUrl = images[0]?.url ?? null
      const url = external_urls.spotify
      return [{ provider: "spotify", externalId: id, title: name, url, imageUrl, itemCount: total_episodes }]
    })
    return { entries, etag: read.etag, next: offsetOf(read.body.next) }
  },
  items: async (
    get: Get,
    api: string,
    show: string,
    key: string | null,
    etag: string | null,
  ): Promise<Page<Item> | null> => {
    const read = await get<Paging<Episode>>(`${api}/shows/${show}/episodes?limit=50&offset=${key ?? "0"}`, etag)
    if (read === null) return null
    const entries = read.body.items.flatMap((episode): ReadonlyArray<Item> => {
      if (episode === null) return []
      const [year = "0000", month = "01", day = "01"] = episode.release_date.split("-")
      return [
        {
          provider: "spotify",
          externalId: episode.id,
          sourceId: show,
          kind: "episode",
          title: episode.name,
          description: episode.description.slice(0, 2000),
          url: episode.external_urls.spotify,
          imageUrl: episode.images[0]?.url ?? null,
          publishedAt: Date.parse(`${year}-${month}-${day}T00:00:00Z`),
          precision: episode.release_date_precision,
          durationMs: episode.duration_ms,
          isLive: false,
        },
      ]
    })
    return { entries, etag: read.etag, next: offsetOf(read.body.next) }
  },
  describe: async (_get: Get, _api: string, items: ReadonlyArray<Item>) => items,
}

interface Listing<A> {
  readonly items: ReadonlyArray<A>
  readonly etag?: string
  readonly nextPageToken?: string
}
type Thumbnails = Readonly<Record<string, { readonly url: string }>>
interface Snippet {
  readonly title: string
  readonly description: string
  readonly publishedAt: string
  readonly thumbnails?: Thumbnails
  readonly liveBroadcastContent?: string
}
interface Channel {
  readonly snippet: Snippet & { readonly resourceId: { readonly channelId: string } }
  readonly contentDetails?: { readonly totalItemCount?: number }
}
interface PlaylistItem {
  readonly snippet: Snippet
  readonly contentDetails: { readonly videoId: string; readonly videoPublishedAt?: string }
}
interface Video {
  readonly id: string
  readonly snippet: Snippet
  readonly contentDetails?: { readonly duration?: string }
}

const imageOf = (thumbnails: Thumbnails | undefined) =>
  (thumbnails?.["high"] ?? thumbnails?.["medium"] ?? thumbnails?.["default"])?.url ?? null

const durationOf = (iso: string | undefined) => {
  const [, hours = "0", minutes = "0", seconds = "0"] = /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/.exec(iso ?? "") ?? []
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000 || null
}

const pageOf = <A, B>(
  read: { body: Listing<A>; etag: string | null },
  map: (entry: A) => ReadonlyArray<B>,
): Page<B> => ({
  entries: read.body.items.flatMap(map),
  etag: read.etag ?? read.body.etag ?? null,
  next: read.body.nextPageToken ?? null,
})

const after = (key: string | null) => (key === null ? "" : `&pageToken=${key}`)

const youtube = {
  library: async (get: Get, api: string, key: string | null, etag: string | null): Promise<Page<Source> | null> => {
    const query = `mine=true&part=snippet,contentDetails&order=alphabetical&maxResults=50${after(key)}`
    const read = await get<Listing<Channel>>(`${api}/subscriptions?${query}`, etag)
    if (read === null) return null
    return pageOf(read, ({ snippet, contentDetails }): ReadonlyArray<Source> => {
      const { channelId } = snippet.resourceId
      const url = `https://www.youtube.com/channel/${channelId}`
      const imageUrl = imageOf(snippet.thumbnails)
      const itemCount = contentDetails?.totalItemCount ?? null
      return [{ provider: "youtube", externalId: channelId, title: snippet.title, url, imageUrl, itemCount }]
    })
  },
  items: async (
    get: Get,
    api: string,
    channel: string,
    key: string | null,
    etag: string | null,
  ): Promise<Page<Item> | null> => {
    const query = `part=snippet,contentDetails,status&playlistId=${channel.replace(/^UC/, "UU")}&maxResults=50${after(key)}`
    const read = await get<Listing<PlaylistItem>>(`${api}/playlistItems?${query}`, etag)
    if (read === null) return null
    return pageOf(read, ({ snippet, contentDetails }): ReadonlyArray<Item> => {
      if (contentDetails.videoPublishedAt === undefined) return []
      const externalId = contentDetails.videoId
      return [
        {
          provider: "youtube",
          externalId,
          sourceId: channel,
          kind: "video",
          title: snippet.title,
          description: snippet.description.slice(0, 2000),
          url: `https://www.youtube.com/watch?v=${externalId}`,
          imageUrl: imageOf(snippet.thumbnails),
          publishedAt: Date.parse(contentDetails.videoPublishedAt),
          precision: "instant",
          durationMs: null,
          isLive: false,
        },
      ]
    })
  },
  describe: async (get: Get, api: string, items: ReadonlyArray<Item>): Promise<ReadonlyArray<Item>> => {
    if (items.length === 0) return items
    const ids = items.map(({ externalId }) => externalId).join(",")
    const query = `part=snippet,contentDetails,liveStreamingDetails&id=${ids}&maxResults=50`
    const read = await get<Listing<Video>>(`${api}/videos?${query}`, null)
    const videos = new Map(read?.body.items.map((video) => [video.id, video]))
    return items.map((item) => {
      const video = videos.get(item.externalId)
      if (video === undefined) return item
      return {
        ...item,
        title: video.snippet.title,
        description: video.snippet.description.slice(0, 2000),
        publishedAt: Date.parse(video.snippet.publishedAt),
        imageUrl: imageOf(video.snippet.thumbnails) ?? item.imageUrl,
        durationMs: durationOf(video.contentDetails?.duration),
        isLive: video.snippet.liveBroadcastContent === "live",
      }
    })
  },
}

export const clients = { spotify, youtube }
