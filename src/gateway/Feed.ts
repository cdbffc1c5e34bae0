import { and, desc, eq, sql } from "drizzle-orm"
import { drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { feedItems, subscriptions, userFeedItems } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { bounded, Item } from "../domain/item.ts"
import { webAddress } from "../domain/text.ts"
import type { UserId } from "../domain/user.ts"
import { type FeedCursor, FeedPosition } from "./FeedCursor.ts"

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

const decodeEntry = Schema.decodeUnknownOption(FeedEntry)
const decodePosition = Schema.decodeUnknownOption(FeedPosition)

/** Selects a page of somebody's feed: the rows of it alone, by the key of the feed, and what each shows. */
export const selectFeed = (database: D1Database, userId: UserId, cursor: FeedCursor | undefined, rows: number) =>
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

type Row = Awaited<ReturnType<typeof selectFeed>>[number]

/** A row as it is shown: as bounded as what is delivered, whatever an earlier version of pollen let into D1. `null`: it makes no sense. */
const toEntry = (row: Row): FeedEntry | null =>
  Option.getOrNull(decodeEntry({ ...bounded(row), sourceImageUrl: webAddress(row.sourceImageUrl) }))

/** Where a page ends. A row that makes no sense has its place in the feed all the same, so that the next page begins below it. */
const endOf = (rows: ReadonlyArray<Row>): FeedCursor | null =>
  rows.reduce<FeedCursor | null>(
    (end, { publishedAt, provider, itemId }) =>
      Option.getOrElse(decodePosition([publishedAt, provider, itemId]), () => end),
    null,
  )

const isShownAsIs = (row: Row, { title, description, url, imageUrl, publishedAt, durationMs }: FeedEntry): boolean =>
  row.title === title &&
  row.description === description &&
  row.url === url &&
  row.imageUrl === imageUrl &&
  row.publishedAt === publishedAt &&
  row.durationMs === durationMs

/** Makes entries of rows. One bad row costs nobody the others; the log names it. */
const toEntries = Effect.fnUntraced(function* (rows: ReadonlyArray<Row>) {
  const entries: Array<FeedEntry> = []
  for (const row of rows) {
    const entry = toEntry(row)
    const name = `${row.provider} ${row.itemId.slice(0, 100)}`
    if (entry === null) yield* Effect.logWarning(`${name} was left out of a feed: its row in D1 makes no sense`)
    else if (!isShownAsIs(row, entry))
      yield* Effect.logWarning(`${name} is shown within bounds that its row in D1 exceeds`)
    if (entry !== null) entries.push(entry)
  }
  return entries
})

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
        const rows = yield* askDatabase("feed", () => selectFeed(database, userId, cursor, limit + 1))
        const page = rows.slice(0, limit)
        const entries = yield* toEntries(page)
        return { entries, next: rows.length > limit ? endOf(page) : null }
      }),
    })
}
