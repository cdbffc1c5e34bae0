import { Effect, Schema } from "effect"

/** One item in one person's feed, as D1 has it. */
const Delivered = Schema.Struct({
  userId: Schema.String,
  provider: Schema.String,
  itemId: Schema.String,
  /** `null` where the item itself is missing. */
  sourceId: Schema.NullOr(Schema.String),
  isBackfill: Schema.Int,
  /** Rows; anything but 1 is a mistake. */
  copies: Schema.Int,
})
export type Delivered = typeof Delivered.Type

const everything = `SELECT feed.user_id AS userId, feed.provider, feed.external_id AS itemId, item.source_id AS sourceId,
    max(feed.is_backfill) AS isBackfill, count(*) AS copies
  FROM user_feed_items feed
  LEFT JOIN feed_items item ON item.provider = feed.provider AND item.external_id = feed.external_id
  GROUP BY feed.user_id, feed.provider, feed.external_id`

const decodeDelivered = Schema.decodeUnknownEffect(Schema.Array(Delivered))
const decodeCounts = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ rows: Schema.Int })))

/** Runs a statement on D1 and gives its rows. */
type Query = (statement: string) => Effect.Effect<ReadonlyArray<unknown>>

/** Reads everybody's feed. */
export const readFeeds = Effect.fnUntraced(function* (query: Query) {
  return yield* Effect.orDie(decodeDelivered(yield* query(everything)))
})

/** Counts the rows of all feeds. */
export const countRows = Effect.fnUntraced(function* (query: Query) {
  const [counted] = yield* Effect.orDie(decodeCounts(yield* query("SELECT count(*) AS rows FROM user_feed_items")))
  return counted?.rows ?? 0
})
