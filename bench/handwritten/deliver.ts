import type { Provider } from "./providers.ts"

const insertItems = `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, image_url,
    published_at, precision, duration_ms, is_live)
  SELECT value->>'provider', value->>'externalId', value->>'sourceId', value->>'kind', value->>'title', value->>'description',
    value->>'url', value->>'imageUrl', value->>'publishedAt', value->>'precision', value->>'durationMs', value->>'isLive'
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const insertFeed = `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
  SELECT ?2, item.published_at, item.provider, item.external_id, value->>'isBackfill', value->>'at'
  FROM json_each(?1) JOIN feed_items item ON item.provider = value->>'provider' AND item.external_id = value->>'externalId'
  WHERE true ON CONFLICT DO NOTHING`

const insertSources = `INSERT INTO subscriptions (provider, external_id, title, url, image_url, updated_at)
  SELECT value->>'provider', value->>'externalId', value->>'title', value->>'url', value->>'imageUrl', value->>'at'
  FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const insertFollows = `INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at)
  SELECT ?2, value->>'provider', value->>'externalId', value->>'at' FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`

const insertUser = "INSERT OR REPLACE INTO users (id, durable_object_id, created_at) VALUES (?1, ?2, ?3)"

const insertAccounts = `INSERT OR REPLACE INTO user_accounts (user_id, provider, is_active, state, updated_at)
  SELECT ?2, value->>'provider', 1, 'connected', value->>'at' FROM json_each(?1)`

const upsertStatus = `INSERT OR REPLACE INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by,
    next_due_at, sources, failing_sources, accounts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)`

interface Person {
  readonly userId: string
  readonly objectId: string
  readonly providers: ReadonlyArray<Provider>
  readonly sources: number
}

/** One batch, with the rows of each kind as one JSON parameter: as few statements as pollen sends. */
export const deliver = async (
  database: D1Database,
  { userId, objectId, providers, sources }: Person,
  rows: ReadonlyArray<{ readonly kind: string; readonly body: string }>,
): Promise<void> => {
  const now = Date.now()
  const ofKind = (kind: string) => {
    const bodies = rows.filter((row) => row.kind === kind).map(({ body }) => body)
    return bodies.length === 0 ? null : `[${bodies.join(",")}]`
  }
  const batch: Array<D1PreparedStatement> = []
  const accounts = ofKind("account")
  if (accounts !== null) {
    batch.push(database.prepare(insertUser).bind(userId, objectId, now))
    batch.push(database.prepare(insertAccounts).bind(accounts, userId))
  }
  const followed = ofKind("source")
  if (followed !== null) {
    batch.push(database.prepare(insertSources).bind(followed))
    batch.push(database.prepare(insertFollows).bind(followed, userId))
  }
  const items = ofKind("item")
  if (items !== null) {
    batch.push(database.prepare(insertItems).bind(items))
    batch.push(database.prepare(insertFeed).bind(items, userId))
  }
  const states = JSON.stringify(providers.map((provider) => ({ provider, state: "connected", reason: null })))
  const expectedBy = now + 6.5 * 3_600_000
  batch.push(database.prepare(upsertStatus).bind(userId, objectId, now, expectedBy, null, sources, states))
  await database.batch(batch)
}
