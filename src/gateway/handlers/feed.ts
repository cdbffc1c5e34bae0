import { DateTime, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import type { FeedItem } from "../api/feed.ts"
import { Feed, type FeedEntry } from "../Feed.ts"

/** Items of a page when the client does not say. */
const defaultLimit = 50

const toIso = (epochMillis: number) => DateTime.formatIso(DateTime.makeUnsafe(epochMillis))

const toFeedItem = ({
  itemId,
  sourceId,
  sourceTitle,
  sourceImageUrl,
  publishedAt,
  deliveredAt,
  ...item
}: FeedEntry): FeedItem => ({
  ...item,
  externalId: itemId,
  source: { id: sourceId, title: sourceTitle, imageUrl: sourceImageUrl },
  publishedAt: toIso(publishedAt),
  publishedAtMs: publishedAt,
  deliveredAt: toIso(deliveredAt),
  deliveredAtMs: deliveredAt,
})

export const feedLayer = HttpApiBuilder.group(
  Api,
  "feed",
  Effect.fnUntraced(function* (handlers) {
    const feed = yield* Feed
    return handlers.handle(
      "readFeed",
      Effect.fn("readFeed")(function* ({ query: { cursor, limit = defaultLimit } }) {
        const { entries, next } = yield* feed.read(yield* CurrentUser, cursor, limit)
        return { items: entries.map(toFeedItem), next }
      }, answerProblems),
    )
  }),
)
