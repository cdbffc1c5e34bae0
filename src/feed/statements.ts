// What writes sources, items and feeds to D1. A statement takes its rows, as `rows.ts` makes them, as one JSON parameter, so that the
// bound of 100 parameters never counts; and it may be run again, since D1 may have taken a batch of which the answer was lost.

/** Items, once each: the first delivery stays. */
export const insertItems = `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url,
    published_at, precision, duration_ms, is_live)
  SELECT value->>'provider', value->>'externalId', value->>'sourceId', value->>'kind', value->>'title', value->>'description',
    value->>'url', value->>'imageUrl', value->>'publishedAt', value->>'precision', value->>'durationMs', value->>'isLive'
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

/** Sources, once each; the newest details stay. */
export const upsertSources = `INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at)
  SELECT value->>'provider', value->>'externalId', value->>'title', value->>'url', value->>'imageUrl', value->>'at'
  FROM json_each(?1) WHERE true
  ON CONFLICT (provider, external_id) DO UPDATE SET title = excluded.title, url = excluded.url,
    image_url = excluded.image_url, updated_at = excluded.updated_at
  WHERE excluded.updated_at >= updated_at
    AND (title <> excluded.title OR url <> excluded.url OR image_url IS NOT excluded.image_url)`

/** Whose feed is written. Both are SQL. */
export interface Whose {
  readonly userId: string
  /** Where the rows come from, each as a `value`: `json_each(?1)`, with a join where not every row may be written. */
  readonly rows: string
}

/**
 * The place of a row that is written now: the time of its delivery, but above all that the person has. D1 writes one batch after the
 * other, so whoever has read up to a place has read all that will ever be below it. Rows of one statement may share a place.
 */
export const arrivalOfNew = (
  userId: string,
) => `max(value->>'at', 1 + coalesce((SELECT max(arrival) FROM user_feed_items
      WHERE user_id = ${userId}), 0))`

/** The statements that write to people's feeds and to what they follow. */
export const feedStatements = ({ userId, rows }: Whose) => ({
  // The publication time comes from feed_items: it is part of the key, and must be the same for everybody and for ever.
  // CROSS JOIN: from the rows to the table, by its key. Left to itself, SQLite may read the whole table.
  insertFeed: `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at, arrival)
    SELECT ${userId}, item.published_at, item.provider, item.external_id, value->>'isBackfill', value->>'at', ${arrivalOfNew(userId)}
    FROM ${rows} CROSS JOIN feed_items item ON item.provider = value->>'provider' AND item.external_id = value->>'externalId'
    WHERE true ON CONFLICT DO NOTHING`,

  // The legacy poller's cursor comes with the row, or not at all: a row without one takes none away.
  upsertFollows: `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at, polled_at, item_count)
    SELECT ${userId}, value->>'provider', value->>'externalId', value->>'at', value->>'polledAt', value->>'itemCount'
    FROM ${rows} WHERE true
    ON CONFLICT DO UPDATE SET polled_at = excluded.polled_at, item_count = excluded.item_count
    WHERE excluded.polled_at IS NOT NULL`,

  deleteFollows: `DELETE FROM user_subscriptions WHERE (user_id, provider, external_id) IN (
    SELECT ${userId}, value->>'provider', value->>'externalId' FROM ${rows})`,
})
