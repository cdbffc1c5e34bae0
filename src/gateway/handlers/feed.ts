import { DateTime, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { InvalidRequest } from "../../domain/error.ts"
import type { UserId } from "../../domain/user.ts"
import { answerProblems } from "../../http/problem.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import type { FeedItem, FeedParameters } from "../api/feed.ts"
import { Feed, type FeedEntry } from "../Feed.ts"
import { isArrived, ownerOf } from "../FeedCursor.ts"
import type { FeedQuery } from "../FeedQuery.ts"

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

const refuse = (path: string, message: string) =>
  Effect.fail(new InvalidRequest({ method: "readFeed", issues: [{ path, message }] }))

/** Refuses what contradicts itself, and cursors of somebody else's feed. */
const toFeedQuery = Effect.fnUntraced(function* (userId: UserId, parameters: FeedParameters) {
  const { backfill, limit = defaultLimit, cursor, since, until, ...rest } = parameters
  const order = cursor !== undefined && !isArrived(cursor) ? "published" : "arrived"
  const asked = rest.order ?? order
  const foreign = Object.entries({ cursor, since, until }).find(
    ([, position]) => position !== undefined && isArrived(position) && position[4] !== ownerOf(userId),
  )
  if (foreign !== undefined) return yield* refuse(foreign[0], "is a cursor of somebody else's feed")
  if (cursor !== undefined && asked !== order) return yield* refuse("order", "is not that of the cursor")
  if (cursor !== undefined && since !== undefined) {
    return yield* refuse("cursor", "leads back, and since leads on: give one of them")
  }
  if (asked === "published" && (since ?? until) !== undefined) {
    return yield* refuse("order", "must be arrived with since or until")
  }
  const isBackfill = backfill === undefined ? undefined : backfill === "true"
  return { ...rest, order: asked, cursor, since, until, limit, isBackfill } satisfies FeedQuery
})

export const feedLayer = HttpApiBuilder.group(
  Api,
  "feed",
  Effect.fnUntraced(function* (handlers) {
    const feed = yield* Feed
    return handlers.handle(
      "readFeed",
      Effect.fn("readFeed")(function* ({ query }) {
        const userId = yield* CurrentUser
        const { entries, next, since } = yield* feed.read(userId, yield* toFeedQuery(userId, query))
        return { items: entries.map(toFeedItem), next, since }
      }, answerProblems),
    )
  }),
)
