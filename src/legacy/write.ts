import { Effect, Schedule } from "effect"
import { toDatabaseUnavailable } from "../domain/database.ts"
import { isDeliverable, toItem } from "../domain/item.ts"
import type { Provider } from "../domain/provider.ts"
import type { Source } from "../domain/subscription.ts"
import { cut, longestTitle } from "../domain/text.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import { toParameters } from "./rows.ts"
import type { Finding } from "./sources.ts"

// What a batch writes to D1: rows travel as JSON parameters, so that the statements grow with the items and not with the people. All
// of it may be written twice, and nothing is written for an account that D1 has given away since it was read.

// CROSS JOIN: from the rows of the parameter to the tables, by their keys.
const isHeld = `CROSS JOIN user_accounts account ON account.user_id = value->>'userId' AND account.provider = ?2
    AND account.holder = 'database' AND account.is_active`

const insertItems = `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url,
    published_at, precision, duration_ms, is_live)
  SELECT value->>'provider', value->>'externalId', value->>'sourceId', value->>'kind', value->>'title', value->>'description',
    value->>'url', value->>'imageUrl', value->>'publishedAt', value->>'precision', value->>'durationMs', value->>'isLive'
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

// The publication time comes from feed_items: it is part of the key, and must be the same for everybody and for ever.
const insertFeed = `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
  SELECT value->>'userId', item.published_at, item.provider, item.external_id, value->>'isBackfill', ?3
  FROM json_each(?1) ${isHeld} CROSS JOIN feed_items item ON item.provider = ?2 AND item.external_id = value->>'id'
  WHERE true ON CONFLICT DO NOTHING`

const upsertSources = `INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at)
  SELECT ?2, value->>'externalId', value->>'title', value->>'url', value->>'imageUrl', ?3 FROM json_each(?1) WHERE true
  ON CONFLICT (provider, external_id) DO UPDATE SET title = excluded.title, url = excluded.url,
    image_url = excluded.image_url, updated_at = excluded.updated_at
  WHERE excluded.updated_at >= updated_at
    AND (title <> excluded.title OR url <> excluded.url OR image_url IS NOT excluded.image_url)`

// A source that has been followed just now and brought nothing yet has no cursor, and takes none away.
const upsertFollows = `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at, polled_at, item_count)
  SELECT account.user_id, ?2, value->>'externalId', ?3, value->>'polledAt', value->>'itemCount'
  FROM json_each(?1) ${isHeld} WHERE true
  ON CONFLICT DO UPDATE SET polled_at = excluded.polled_at, item_count = excluded.item_count
  WHERE excluded.polled_at IS NOT NULL`

const deleteFollows = `DELETE FROM user_subscriptions WHERE provider = ?2 AND (user_id, external_id) IN (
  SELECT account.user_id, value->>'externalId' FROM json_each(?1) ${isHeld})`

/** A source that somebody has begun, or ceased, to follow. */
export interface Followed {
  readonly account: AccountKey
  readonly sourceId: string
}

/** What polling a batch of accounts brought. */
export interface BatchOutcome {
  readonly findings: ReadonlyArray<Finding>
  /** New or renamed. */
  readonly sources: ReadonlyArray<Source>
  readonly added: ReadonlyArray<Followed>
  readonly removed: ReadonlyArray<Followed>
}

const toSource = ({ externalId, title, url, imageUrl }: Source) => ({
  externalId,
  title: cut(title, longestTitle),
  url,
  imageUrl,
})

/** The statements that write an outcome, in the order in which they must run. */
const statements = (database: D1Database, provider: Provider, now: number, outcome: BatchOutcome) => {
  const items = new Map<string, object>()
  const feed: Array<object> = []
  const follows = new Map<string, object>()
  for (const { account, sourceId } of outcome.added) {
    follows.set(`${keyOf(account)} ${sourceId}`, { userId: account.userId, externalId: sourceId })
  }
  for (const { ask, fresh, isFirst, cursor } of outcome.findings) {
    const { userId } = ask.account
    // Oldest first, in the order of publication.
    for (const item of fresh.filter(isDeliverable).toReversed()) {
      items.set(item.externalId, toItem(item))
      feed.push({ userId, id: item.externalId, isBackfill: isFirst })
    }
    const externalId = ask.source.externalId
    follows.set(`${keyOf(ask.account)} ${externalId}`, { userId, externalId, ...cursor })
  }
  const sources = new Map(outcome.sources.map((source) => [source.externalId, toSource(source)]))
  const removed = outcome.removed.map(({ account, sourceId }) => ({ userId: account.userId, externalId: sourceId }))
  const each = (sql: string, values: Iterable<object>, ...rest: ReadonlyArray<unknown>) =>
    toParameters([...values]).map((parameter) => database.prepare(sql).bind(parameter, ...rest))
  return {
    items: feed.length,
    prepared: [
      ...each(insertItems, items.values()),
      ...each(insertFeed, feed, provider, now),
      ...each(upsertSources, sources.values(), provider, now),
      // Last of what is written, so that a cursor never runs ahead of its items.
      ...each(upsertFollows, follows.values(), provider, now),
      ...each(deleteFollows, removed, provider),
    ],
  }
}

/** Tries again for what passes within seconds. */
const retries = Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))

/** Writes what a batch brought, in one transaction; returns how many items went to people's feeds. */
export const writeOutcome = Effect.fn("legacy.writeOutcome")(function* (
  database: D1Database,
  provider: Provider,
  now: number,
  outcome: BatchOutcome,
) {
  const { items, prepared } = statements(database, provider, now, outcome)
  if (prepared.length > 0) {
    yield* Effect.tryPromise({
      try: () => database.batch(prepared),
      catch: toDatabaseUnavailable("a batch of polls"),
    }).pipe(Effect.retry(retries))
  }
  return items
})
