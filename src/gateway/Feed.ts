import { and, desc, eq, sql } from "drizzle-orm"
import { drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Schema } from "effect"
import { feedItems, subscriptions, userFeedItems } from "../../schema/database.ts"
import { toDatabaseUnavailable } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { Item } from "../domain/item.ts"
import type { UserId } from "../domain/user.ts"
import type { FeedCursor } from "./FeedCursor.ts"

/** An item of somebody's feed. Times are epoch milliseconds. */
const FeedEntry = Schema.Struct({
  ...Item.fields,
  /** Title and picture of the show or channel; `null` until it is known. */
  sourceTitle: Schema.NullOr(Schema.String),
  sourceImageUrl: Schema.NullOr(Schema.String),
  isBackfill: Schema.Boolean,
  deliveredAt: Schema.Int,
})
export type FeedEntry = typeof FeedEntry.Type

export interface FeedSlice {
  readonly entries: ReadonlyArray<FeedEntry>
  /** `null` at the end of the feed. */
  readonly next: FeedCursor | null
}

const decodeEntries = Schema.decodeUnknownEffect(Schema.Array(FeedEntry))

const select = (database: D1Database, userId: UserId, cursor: FeedCursor | undefined, rows: number) =>
  drizzle(database)
    .select({
      provider: feedItems.provider,
      itemId: feedItems.itemId,
      sourceId: feedItems.sourceId,
      kind: feedItems.kind,
      title: feedItems.title,
      description: feedItems.description,
      url: feedItems.url,
      imageUrl: feedItems.imageUrl,
      publishedAt: userFeedItems.publishedAt,
      precision: feedItems.precision,
      durationMs: feedItems.durationMs,
      isLive: feedItems.isLive,
      sourceTitle: subscriptions.title,
      sourceImageUrl: subscriptions.imageUrl,
      isBackfill: userFeedItems.isBackfill,
      deliveredAt: userFeedItems.deliveredAt,
    })
    .from(userFeedItems)
    .innerJoin(
      feedItems,
      and(eq(feedItems.provider, userFeedItems.provider), eq(feedItems.itemId, userFeedItems.itemId)),
    )
    .leftJoin(
      subscriptions,
      and(eq(subscriptions.provider, feedItems.provider), eq(subscriptions.sourceId, feedItems.sourceId)),
    )
    .where(
      and(
        eq(userFeedItems.userId, userId),
        cursor &&
          sql`(${userFeedItems.publishedAt}, ${userFeedItems.provider}, ${userFeedItems.itemId}) < (${sql.join(
            cursor.map((part) => sql`${part}`),
            sql`, `,
          )})`,
      ),
    )
    .orderBy(desc(userFeedItems.publishedAt), desc(userFeedItems.provider), desc(userFeedItems.itemId))
    .limit(rows)

/** Reads people's feeds from D1. */
export class Feed extends Context.Service<
  Feed,
  {
    /** Reads a page of a person's feed, newest first, from after `cursor` on. `limit` is in items. */
    readonly read: (
      userId: UserId,
      cursor: FeedCursor | undefined,
      limit: number,
    ) => Effect.Effect<FeedSlice, DatabaseUnavailable>
  }
>()("pollen/gateway/Feed") {
  static readonly layer = (database: D1Database): Layer.Layer<Feed> =>
    Layer.succeed(Feed, {
      read: Effect.fn("Feed.read")(function* (userId, cursor, limit) {
        // One row more than asked for says whether there is a next page.
        const rows = yield* Effect.tryPromise({
          try: () => select(database, userId, cursor, limit + 1),
          catch: toDatabaseUnavailable("feed"),
        })
        // Only pollen writes these tables: a row that does not fit is a defect.
        const entries = yield* Effect.orDie(decodeEntries(rows.slice(0, limit)))
        const last = entries.at(-1)
        const isMore = rows.length > limit && last !== undefined
        return { entries, next: isMore ? ([last.publishedAt, last.provider, last.itemId] as const) : null }
      }),
    })
}
