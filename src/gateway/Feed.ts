import { and, asc, desc, eq, type SQLWrapper, sql } from "drizzle-orm"
import { drizzle } from "drizzle-orm/d1"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { feedItems, subscriptions, userFeedItems } from "../../schema/database.ts"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { bounded, Item } from "../domain/item.ts"
import { Provider } from "../domain/provider.ts"
import { webAddress } from "../domain/text.ts"
import type { UserId } from "../domain/user.ts"
import { type ArrivedPosition, beginning, type FeedCursor, isArrived, ownerOf } from "./FeedCursor.ts"
import type { FeedQuery } from "./FeedQuery.ts"

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
  /** From where on to ask for what arrives later; `null` where the page does not tell. */
  readonly since: ArrivedPosition | null
}

const decodeEntry = Schema.decodeUnknownOption(FeedEntry)
const decodeProvider = Schema.decodeUnknownOption(Provider)

/** The position of a row in each order, as SQL. */
const published = [userFeedItems.publishedAt, userFeedItems.provider, userFeedItems.itemId] as const
const arrived = [userFeedItems.arrival, ...published] as const

const tuple = (parts: ReadonlyArray<SQLWrapper | string | number>) =>
  sql`(${sql.join(
    parts.map((part) => sql`${part}`),
    sql`, `,
  )})`

const withoutOwner = ([arrival, publishedAt, provider, itemId]: ArrivedPosition) =>
  [arrival, publishedAt, provider, itemId] as const

/** The rows that a query is about, as far as the key or the index tells. */
const within = ({ order, cursor, since, until }: Omit<FeedQuery, "limit">) => {
  const position = tuple(order === "published" ? published : arrived)
  const end = cursor && (isArrived(cursor) ? withoutOwner(cursor) : cursor)
  return and(
    end && sql`${position} < ${tuple(end)}`,
    since && sql`${tuple(arrived)} > ${tuple(withoutOwner(since))}`,
    until && sql`${tuple(arrived)} <= ${tuple(withoutOwner(until))}`,
  )
}

/** Selects a page of somebody's feed: the rows of it alone, by the key of the feed or the index of arrival, and what each shows. */
export const selectFeed = (database: D1Database, userId: UserId, query: Omit<FeedQuery, "limit">, rows: number) => {
  const direction = query.since === undefined ? desc : asc
  return drizzle(database)
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
      arrival: userFeedItems.arrival,
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
    .where(and(eq(userFeedItems.userId, userId), within(query)))
    .orderBy(...(query.order === "published" ? published : arrived).map((part) => direction(part)))
    .limit(rows)
}

type Row = Awaited<ReturnType<typeof selectFeed>>[number]

/** A row as it is shown: as bounded as what is delivered, whatever an earlier version of pollen let into D1. `null`: it makes no sense. */
const toEntry = (row: Row): FeedEntry | null =>
  Option.getOrNull(decodeEntry({ ...bounded(row), sourceImageUrl: webAddress(row.sourceImageUrl) }))

/** Where a row stands. One that makes no sense has its place in the feed all the same, so that the next page begins below it. */
const positionOf = (userId: UserId, order: FeedQuery["order"], row: Row): Option.Option<FeedCursor> =>
  Option.map(decodeProvider(row.provider), (provider): FeedCursor => {
    const { arrival, publishedAt, itemId } = row
    return order === "published"
      ? [publishedAt, provider, itemId]
      : [arrival, publishedAt, provider, itemId, ownerOf(userId)]
  })

/** Where the last of some rows stands. */
const endOf = (userId: UserId, order: FeedQuery["order"], rows: ReadonlyArray<Row>): FeedCursor | null =>
  rows.reduce<FeedCursor | null>((end, row) => Option.getOrElse(positionOf(userId, order, row), () => end), null)

/** Rows that are looked at for a page where not every one is wanted: more would be read for somebody who wants one in a thousand. */
const lookedThrough = 200

const isWanted =
  ({ provider, source, kind, isBackfill }: FeedQuery) =>
  (row: Row): boolean =>
    (provider === undefined || row.provider === provider) &&
    (source === undefined || row.sourceId === source) &&
    (kind === undefined || row.kind === kind) &&
    (isBackfill === undefined || row.isBackfill === isBackfill)

/** The rows up to that of the last item that has room on the page. */
const upToLimit = (rows: ReadonlyArray<Row>, query: FeedQuery): ReadonlyArray<Row> => {
  const wanted = rows.filter(isWanted(query))
  const last = wanted.length < query.limit ? undefined : wanted[query.limit - 1]
  return last === undefined ? rows : rows.slice(0, rows.indexOf(last) + 1)
}

/** From where on to ask for what arrives later: after the last row read, or for a first page after the newest. */
const sinceOf = (userId: UserId, query: FeedQuery, page: ReadonlyArray<Row>): ArrivedPosition | null => {
  if (query.order === "published" || query.cursor !== undefined) return null
  const newest = query.since === undefined ? page.slice(0, 1) : page
  const end = endOf(userId, "arrived", newest)
  return end !== null && isArrived(end) ? end : (query.since ?? query.until ?? beginning(userId))
}

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
    /** Reads a page of a person's feed. Where not every row is wanted, a page may have fewer items than asked for, and a next one. */
    readonly read: (userId: UserId, query: FeedQuery) => Effect.Effect<FeedSlice, DatabaseUnavailable>
  }
>()("pollen/gateway/Feed") {
  static readonly layer = (database: D1Database): Layer.Layer<Feed> =>
    Layer.succeed(Feed, {
      read: Effect.fn("Feed.read")(function* (userId, query) {
        const { limit, order, provider, source, kind, isBackfill } = query
        const isFiltered = [provider, source, kind, isBackfill].some((filter) => filter !== undefined)
        const most = isFiltered ? Math.max(limit, lookedThrough) : limit
        // One row more than is looked at says whether there is a next page.
        const rows = yield* askDatabase("feed", () => selectFeed(database, userId, query, most + 1))
        const page = upToLimit(rows.slice(0, most), query)
        const entries = yield* toEntries(page.filter(isWanted(query)))
        const next = rows.length > page.length ? endOf(userId, order, page) : null
        return { entries, next, since: sinceOf(userId, query, page) }
      }),
    })
}
