import { Effect, Stream } from "effect"
import { Xml } from "effect/encoding"
import { ProviderUnavailable } from "../domain/error.ts"
import type { ListedItem } from "../domain/item.ts"
import { itemKind, itemPage } from "../domain/webPages.ts"
import type { ProviderHttp } from "./ProviderHttp.ts"

const provider = "youtube"

/** Longest entry that is read, in UTF-16 code units: one has a description of at most 5,000 characters. */
const longestEntry = 100_000

type Node = Xml.Element | string

const childOf = (nodes: ReadonlyArray<Node>, name: string): Xml.Element | undefined =>
  nodes.find((node): node is Xml.Element => typeof node !== "string" && node.name === name)

const textOf = (nodes: ReadonlyArray<Node>, name: string): string | null =>
  childOf(nodes, name)
    ?.children.filter((node) => typeof node === "string")
    .join("") ?? null

/** An entry as an item; `null` for one without an id or a date. A feed tells neither duration nor whether a video can be watched yet. */
const toItem = (sourceId: string, { children }: Xml.Element): ListedItem | null => {
  const itemId = textOf(children, "yt:videoId")
  const publishedAt = Date.parse(textOf(children, "published") ?? "")
  // A feed of another channel, or one put together from several, says nothing about this one.
  const isOwn = textOf(children, "yt:channelId") === sourceId
  if (itemId === null || itemId === "" || Number.isNaN(publishedAt) || !isOwn) return null
  const media = childOf(children, "media:group")?.children ?? []
  return {
    provider,
    itemId,
    sourceId,
    kind: itemKind.youtube,
    title: textOf(children, "title") ?? "",
    description: textOf(media, "media:description") ?? "",
    url: itemPage.youtube(itemId),
    imageUrl: childOf(media, "media:thumbnail")?.attributes["url"] ?? null,
    publishedAt: Math.max(0, publishedAt),
    precision: "instant",
    durationMs: null,
    isLive: false,
    availability: "available",
    startsAt: null,
  }
}

/** A channel's Atom feed: its newest items, at most 15. */
export interface Feed {
  readonly items: ReadonlyArray<ListedItem>
  /** Number of entries, and how many of them cannot be read. */
  readonly size: number
  readonly unreadable: number
}

/** Reads the feed of a channel. */
export type ReadFeed = (channelId: string) => Effect.Effect<Feed, ProviderUnavailable>

/** Reads an Atom document as the feed of a channel; fails with `undefined` where it is none. */
export const parseFeed = Effect.fnUntraced(function* (channelId: string, body: string) {
  const entries = yield* Stream.make(body).pipe(
    Stream.pipeThroughChannel(Xml.decodeString()),
    Stream.pipeThroughChannel(Xml.elements(["feed", "entry"], { maxElementSize: longestEntry })),
    Stream.runCollect,
    Effect.mapError(() => undefined),
  )
  const items = entries.map((entry) => toItem(channelId, entry)).filter((item) => item !== null)
  return { items, size: entries.length, unreadable: entries.length - items.length } satisfies Feed
})

const unavailable = (reason: string) => new ProviderUnavailable({ provider, reason, retryAt: null })

/**
 * Makes a function that reads feeds, which cost no quota and need no token. No status but 200 proves anything: since December 2025 live
 * channels have answered 404 for hours on most days (https://github.com/brendanlong/lion-reader/issues/1127).
 */
export const youtubeFeed = (feedUrl: string, http: Pick<ProviderHttp["Service"], "get">): ReadFeed =>
  Effect.fnUntraced(function* (channelId) {
    const request = { provider, url: feedUrl, query: { channel_id: channelId }, token: null, etag: null } as const
    const { status, body } = yield* http
      .get({ ...request, isText: true })
      .pipe(Effect.catchTag("RateLimited", ({ message }) => unavailable(message)))
    if (status !== 200) return yield* unavailable(`its feed answered ${status}`)
    if (typeof body !== "string" || !/<feed[\s>]/.test(body)) return yield* unavailable("its feed is none")
    return yield* Effect.mapError(parseFeed(channelId, body), () => unavailable("its feed could not be read"))
  })
