import { Effect, Option, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import { detailColumns, joinDetails } from "../feed/details.ts"
import { HandedSource } from "../rpc/move.ts"

/**
 * Items of each source that are handed over, the newest: as many as the first page of a listing has, so that an item on it that is not
 * in the feed, since it could not be played yet, is told from the archive below.
 */
const knownHanded = 50

// An item count below -1 is of a source of which the legacy poller has listed nothing yet: as good as never polled.
const statement = `WITH wanted AS (SELECT value AS user_id FROM json_each(?1)),
  feed AS (
    SELECT entry.user_id, entry.provider, item.source_id, entry.external_id, entry.published_at, row_number() OVER (
      PARTITION BY entry.user_id, entry.provider, item.source_id ORDER BY entry.published_at DESC) AS place
    FROM wanted JOIN user_feed_items entry ON entry.user_id = wanted.user_id
    JOIN feed_items item ON item.provider = entry.provider AND item.external_id = entry.external_id),
  newest AS (
    SELECT user_id, provider, source_id, json_group_array(json_array(external_id, published_at)) AS known
    FROM feed WHERE place <= ${knownHanded} GROUP BY user_id, provider, source_id)
  SELECT follow.user_id AS userId, follow.provider, follow.external_id AS sourceId,
    ${detailColumns},
    follow.followed_at AS followedAt, iif(follow.item_count < -1, NULL, follow.polled_at) AS polledAt,
    iif(follow.item_count < -1, NULL, follow.item_count) AS itemCount,
    coalesce(newest.known, '[]') AS known
  FROM wanted JOIN user_subscriptions follow ON follow.user_id = wanted.user_id
  ${joinDetails}
  LEFT JOIN newest ON newest.user_id = follow.user_id AND newest.provider = follow.provider AND newest.source_id = follow.external_id`

const Row = Schema.Struct({
  ...HandedSource.fields,
  userId: Schema.String,
  known: Schema.fromJsonString(HandedSource.fields.known),
})
const decodeRow = Schema.decodeUnknownOption(Row)

/**
 * What people follow, and where the legacy poller stopped, by user id: what `takeOver` takes. One statement, however many people;
 * a row comes back for every source that one of them follows.
 */
export const readSources = Effect.fn("readSources")(function* (database: D1Database, userIds: ReadonlyArray<string>) {
  const { results } = yield* askDatabase("sources", () =>
    database.prepare(statement).bind(JSON.stringify(userIds)).all(),
  )
  // Rows of another shape were written by something that is not pollen: they must not keep everybody else from being handed over.
  const rows = results.flatMap((row) => Option.toArray(decodeRow(row)))
  const sources = new Map<string, Array<HandedSource>>()
  for (const { userId, ...source } of rows) {
    const known = sources.get(userId)
    if (known === undefined) sources.set(userId, [source])
    else known.push(source)
  }
  return sources
})
