import { Effect, Schema } from "effect"
import { toDatabaseUnavailable } from "../domain/database.ts"
import { Provider } from "../domain/provider.ts"
import { SourceDetails, type Subscription, toDetails } from "../domain/subscription.ts"
import { detailColumns, joinDetails } from "../feed/details.ts"
import { rowsOf } from "./accounts.ts"

/** How often the legacy poller comes round, in milliseconds: the cron trigger in `src/cron/wrangler.toml`. */
const centralIntervalMs = 30 * 60_000

const statement = `WITH newest AS (
    SELECT item.provider, item.source_id, max(entry.published_at) AS published_at
    FROM user_feed_items entry JOIN feed_items item ON item.provider = entry.provider AND item.external_id = entry.external_id
    WHERE entry.user_id = ?1 GROUP BY item.provider, item.source_id)
  SELECT follow.provider, follow.external_id AS sourceId, ${detailColumns}, follow.followed_at AS followedAt, follow.polled_at AS polledAt,
    newest.published_at AS publishedAt
  FROM user_subscriptions follow
  JOIN user_accounts account ON account.user_id = follow.user_id AND account.provider = follow.provider
    AND account.holder = 'database' AND account.state <> 'disconnected'
  ${joinDetails}
  LEFT JOIN newest ON newest.provider = follow.provider AND newest.source_id = follow.external_id
  WHERE follow.user_id = ?1 AND follow.provider IN (SELECT value FROM json_each(?2))
    AND (follow.provider, follow.external_id) > (?3, ?4)
  ORDER BY follow.provider, follow.external_id LIMIT ?5`

const Row = Schema.Struct({
  provider: Provider,
  sourceId: Schema.String,
  ...SourceDetails.fields,
  followedAt: Schema.Int,
  polledAt: Schema.NullOr(Schema.Int),
  publishedAt: Schema.NullOr(Schema.Int),
})
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(Row))

/** What somebody follows with accounts that D1 holds, in the order in which an object lists it. One more than `limit` if there is one. */
export const readFollowed = Effect.fnUntraced(function* (
  database: D1Database,
  userId: string,
  wanted: ReadonlyArray<Provider>,
  after: readonly [string, string],
  limit: number,
) {
  const bound = database.prepare(statement).bind(userId, JSON.stringify(wanted), ...after, limit + 1)
  const rows = yield* Effect.mapError(
    decodeRows(yield* rowsOf("subscriptions", bound)),
    toDatabaseUnavailable("subscriptions"),
  )
  return rows.map(
    ({ followedAt, ...row }): Subscription => ({
      ...row,
      // As bounded as what is kept now, whatever an earlier version or another program let into D1.
      ...toDetails(row),
      state: "active",
      dueAt: row.polledAt === null ? followedAt : row.polledAt + centralIntervalMs,
      intervalMs: centralIntervalMs,
      failures: 0,
      reason: null,
    }),
  )
})
