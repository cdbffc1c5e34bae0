import type { AccountRow } from "./store.ts"

/** A row of the outbox. */
interface OutboxRow {
  readonly kind: string
  /** JSON. */
  readonly body: string
}

/** The object's report, as a row of `durable_object_status`. */
export interface Report {
  readonly durableObjectId: string
  readonly reportedAt: number
  readonly expectedBy: number | null
  readonly nextDueAt: number | null
  readonly sources: number
  readonly failingSources: number
  /** JSON. */
  readonly accounts: string
}

// Every statement takes its rows as one JSON parameter, so that the bound of 100 parameters never counts, and every one may be
// run again: D1 may have taken a batch of which the answer was lost.

const insertItems = `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url,
    published_at, precision, duration_ms, is_live)
  SELECT value->>'provider', value->>'externalId', value->>'sourceId', value->>'kind', value->>'title', value->>'description',
    value->>'url', value->>'imageUrl', value->>'publishedAt', value->>'precision', value->>'durationMs', value->>'isLive'
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

// The publication time comes from feed_items: it is part of the key, and must be the same for everybody and for ever.
const insertFeed = `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
  SELECT ?2, item.published_at, item.provider, item.external_id, value->>'isBackfill', value->>'at'
  FROM json_each(?1) JOIN feed_items item ON item.provider = value->>'provider' AND item.external_id = value->>'externalId'
  WHERE true ON CONFLICT DO NOTHING`

const upsertSources = `INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at)
  SELECT value->>'provider', value->>'externalId', value->>'title', value->>'url', value->>'imageUrl', value->>'at'
  FROM json_each(?1) WHERE true
  ON CONFLICT (provider, external_id) DO UPDATE SET title = excluded.title, url = excluded.url,
    image_url = excluded.image_url, updated_at = excluded.updated_at
  WHERE excluded.updated_at >= updated_at
    AND (title <> excluded.title OR url <> excluded.url OR image_url IS NOT excluded.image_url)`

const insertFollows = `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at)
  SELECT ?2, value->>'provider', value->>'externalId', value->>'at' FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const deleteFollows = `DELETE FROM user_subscriptions WHERE user_id = ?2
  AND (provider, external_id) IN (SELECT value->>'provider', value->>'externalId' FROM json_each(?1))`

const deleteAllFollows = "DELETE FROM user_subscriptions WHERE user_id = ?2 AND provider = ?1"

const upsertUser = `INSERT INTO users (id, durable_object_id, created_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (id) DO UPDATE SET durable_object_id = excluded.durable_object_id
  WHERE durable_object_id IS NOT excluded.durable_object_id`

const upsertAccounts = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at)
  SELECT ?2, value->>'provider', value->>'state' <> 'disconnected', value->>'state', value->>'at' FROM json_each(?1) WHERE true
  ON CONFLICT (user_id, provider) DO UPDATE
  SET is_active = excluded.is_active, state = excluded.state, updated_at = excluded.updated_at`

const upsertStatus = `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, next_due_at,
    sources, failing_sources, accounts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (user_id) DO UPDATE SET durable_object_id = excluded.durable_object_id, reported_at = excluded.reported_at,
    expected_by = excluded.expected_by, next_due_at = excluded.next_due_at, sources = excluded.sources,
    failing_sources = excluded.failing_sources, accounts = excluded.accounts`

const jsonArray = (rows: ReadonlyArray<OutboxRow>) => `[${rows.map(({ body }) => body).join(",")}]`

/** Follows and unfollows keep their order: runs of the same kind make one statement each. */
const followStatements = (database: D1Database, userId: string, rows: ReadonlyArray<OutboxRow>) => {
  const runs: Array<Array<OutboxRow>> = []
  for (const row of rows) {
    const run = runs.at(-1)
    if (run?.[0]?.kind === row.kind && row.kind !== "unfollow_all") run.push(row)
    else runs.push([row])
  }
  return runs.map((run) => {
    const kind = run[0]?.kind
    if (kind === "unfollow_all") {
      const { provider }: { readonly provider: string } = JSON.parse(run[0]?.body ?? "{}")
      return database.prepare(deleteAllFollows).bind(provider, userId)
    }
    return database.prepare(kind === "follow" ? insertFollows : deleteFollows).bind(jsonArray(run), userId)
  })
}

/** The statements of one delivery, in the order in which they must run. */
export const statements = (
  database: D1Database,
  { userId, durableObjectId }: { readonly userId: string; readonly durableObjectId: string },
  { createdAt, now }: { readonly createdAt: number; readonly now: number },
  accounts: ReadonlyArray<Pick<AccountRow, "state"> & { readonly provider: string }>,
  rows: ReadonlyArray<OutboxRow>,
  report: Report | null,
): Array<D1PreparedStatement> => {
  const ofKind = (...kinds: ReadonlyArray<string>) => rows.filter(({ kind }) => kinds.includes(kind))
  const prepared: Array<D1PreparedStatement> = []
  const changedAccounts = ofKind("account")
  if (changedAccounts.length > 0) {
    prepared.push(database.prepare(upsertUser).bind(userId, durableObjectId, createdAt))
    // What counts is the state now, not the one when the row was written.
    const states = accounts.map(({ provider, state }) => ({ provider, state, at: now }))
    prepared.push(database.prepare(upsertAccounts).bind(JSON.stringify(states), userId))
  }
  const sources = ofKind("source")
  if (sources.length > 0) prepared.push(database.prepare(upsertSources).bind(jsonArray(sources)))
  prepared.push(...followStatements(database, userId, ofKind("follow", "unfollow", "unfollow_all")))
  const items = ofKind("item")
  if (items.length > 0) {
    const json = jsonArray(items)
    prepared.push(database.prepare(insertItems).bind(json), database.prepare(insertFeed).bind(json, userId))
  }
  if (report !== null) {
    prepared.push(
      database
        .prepare(upsertStatus)
        .bind(
          userId,
          report.durableObjectId,
          report.reportedAt,
          report.expectedBy,
          report.nextDueAt,
          report.sources,
          report.failingSources,
          report.accounts,
        ),
    )
  }
  return prepared
}

/** Takes a person out of D1: what `forget` promises. Items and sources are shared, and stay. */
export const erasure = (database: D1Database, userId: string): Array<D1PreparedStatement> =>
  ["user_feed_items", "user_subscriptions", "user_accounts", "durable_object_status", "token_migration_status"]
    .map((table) => database.prepare(`DELETE FROM ${table} WHERE user_id = ?1`).bind(userId))
    .concat(database.prepare("DELETE FROM users WHERE id = ?1").bind(userId))
