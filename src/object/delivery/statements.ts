import { jsonArray } from "../../domain/jsonTexts.ts"
import { feedStatements, insertItems, upsertSources } from "../../feed/statements.ts"

/** A row of the outbox. */
interface OutboxRow {
  readonly kind: string
  /** JSON. */
  readonly body: string
}

/** The object's report, as a row of `durable_object_status`. */
export interface Report {
  readonly durableObjectId: string
  readonly heartbeatAt: number
  readonly expectedBy: number | null
  readonly nextDueAt: number | null
  readonly sources: number
  readonly failingSources: number
  /** JSON. */
  readonly accounts: string
  /** JSON: the token operations that the object has answered. */
  readonly operations: string
}

/** An account that the object holds, as D1 is told of it. */
export interface HeldAccount {
  readonly provider: string
  readonly state: string
  readonly epoch: number
}

/** A held grant in the clear, for D1's mirror; the columns are nulled where there is none. */
export interface MirroredGrant {
  readonly provider: string
  readonly epoch: number
  readonly accessToken: string | null
  readonly refreshToken: string | null
  readonly expiresAt: number | null
  readonly scope: string | null
}

/** Where a source was when the object last polled it, for the central poller to go on from. */
export interface Cursor {
  readonly provider: string
  readonly sourceId: string
  readonly polledAt: number | null
  readonly itemCount: number | null
}

const { insertFeed, upsertFollows, deleteFollows } = feedStatements({ userId: "?2", rows: "json_each(?1)" })

const deleteAllFollows = "DELETE FROM user_subscriptions WHERE user_id = ?2 AND provider = ?1"

const upsertUser = `INSERT INTO users (id, durable_object_id, created_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (id) DO UPDATE SET durable_object_id = excluded.durable_object_id
  WHERE durable_object_id IS NOT excluded.durable_object_id`

// A row that D1 holds, or that has gone on to another epoch, is no business of this object's any more.
const upsertAccounts = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder, epoch)
  SELECT ?2, value->>'provider', value->>'state' <> 'disconnected', value->>'state', ?3, 'object', value->>'epoch'
  FROM json_each(?1) WHERE true
  ON CONFLICT (user_id, provider) DO UPDATE
  SET is_active = excluded.is_active, state = excluded.state, updated_at = excluded.updated_at
  WHERE holder = 'object' AND epoch = excluded.epoch`

const updateMirror = `UPDATE user_accounts SET access_token = held.value->>'accessToken', refresh_token = held.value->>'refreshToken',
    expires_at = held.value->>'expiresAt', scope = held.value->>'scope', generation = generation + 1, updated_at = ?3
  FROM json_each(?1) held
  WHERE user_id = ?2 AND provider = held.value->>'provider' AND holder = 'object' AND epoch = held.value->>'epoch'`

const updateCursors = `UPDATE user_subscriptions SET polled_at = source.value->>'polledAt', item_count = source.value->>'itemCount'
  FROM json_each(?1) source
  WHERE user_id = ?2 AND provider = source.value->>'provider' AND external_id = source.value->>'sourceId'`

const upsertStatus = `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, next_due_at,
    sources, failing_sources, accounts, operations) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  ON CONFLICT (user_id) DO UPDATE SET durable_object_id = excluded.durable_object_id, reported_at = excluded.reported_at,
    expected_by = excluded.expected_by, next_due_at = excluded.next_due_at, sources = excluded.sources,
    failing_sources = excluded.failing_sources, accounts = excluded.accounts, operations = excluded.operations`

const bodiesOf = (rows: ReadonlyArray<OutboxRow>) => jsonArray(rows.map(({ body }) => body))

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
    return database.prepare(kind === "follow" ? upsertFollows : deleteFollows).bind(bodiesOf(run), userId)
  })
}

/** What is told of the object as it is when a delivery leaves, whenever its row was written. */
export interface Current {
  readonly accounts: ReadonlyArray<HeldAccount>
  readonly mirror: ReadonlyArray<MirroredGrant>
  readonly cursors: ReadonlyArray<Cursor>
}

/** The statements of one delivery, in the order in which they must run. */
export const statements = (
  database: D1Database,
  { userId, durableObjectId }: { readonly userId: string; readonly durableObjectId: string },
  { createdAt, now }: { readonly createdAt: number; readonly now: number },
  { accounts, mirror, cursors }: Current,
  rows: ReadonlyArray<OutboxRow>,
  report: Report | null,
): Array<D1PreparedStatement> => {
  const ofKind = (...kinds: ReadonlyArray<string>) => rows.filter(({ kind }) => kinds.includes(kind))
  const prepared: Array<D1PreparedStatement> = []
  if (ofKind("account").length > 0 && accounts.length > 0) {
    prepared.push(database.prepare(upsertUser).bind(userId, durableObjectId, createdAt))
    prepared.push(database.prepare(upsertAccounts).bind(JSON.stringify(accounts), userId, now))
  }
  if (mirror.length > 0) prepared.push(database.prepare(updateMirror).bind(JSON.stringify(mirror), userId, now))
  const sources = ofKind("source")
  if (sources.length > 0) prepared.push(database.prepare(upsertSources).bind(bodiesOf(sources)))
  prepared.push(...followStatements(database, userId, ofKind("follow", "unfollow", "unfollow_all")))
  const items = ofKind("item")
  if (items.length > 0) {
    const json = bodiesOf(items)
    prepared.push(database.prepare(insertItems).bind(json), database.prepare(insertFeed).bind(json, userId))
  }
  if (cursors.length > 0) prepared.push(database.prepare(updateCursors).bind(JSON.stringify(cursors), userId))
  if (report !== null) {
    prepared.push(
      database
        .prepare(upsertStatus)
        .bind(
          userId,
          report.durableObjectId,
          report.heartbeatAt,
          report.expectedBy,
          report.nextDueAt,
          report.sources,
          report.failingSources,
          report.accounts,
          report.operations,
        ),
    )
  }
  return prepared
}

const takeOffLists = `UPDATE feature_flags SET
    allow_list = (SELECT json_group_array(value) FROM json_each(allow_list) WHERE value <> ?1),
    deny_list = (SELECT json_group_array(value) FROM json_each(deny_list) WHERE value <> ?1)
  WHERE ?1 IN (SELECT value FROM json_each(allow_list)) OR ?1 IN (SELECT value FROM json_each(deny_list))`

/** The highest epoch that D1 has for an account of the person. To be asked in the batch that erases the rows. */
export const highestEpoch = (database: D1Database, userId: string): D1PreparedStatement =>
  database.prepare("SELECT coalesce(max(epoch), 0) AS epoch FROM user_accounts WHERE user_id = ?1").bind(userId)

/** Takes a person out of D1: what `forget` promises. Items and sources are shared, and stay. */
export const erasure = (database: D1Database, userId: string): Array<D1PreparedStatement> =>
  [
    "user_feed_items",
    "user_subscriptions",
    "user_accounts",
    "durable_object_status",
    "token_migration_status",
    "token_migration_history",
  ]
    .map((table) => database.prepare(`DELETE FROM ${table} WHERE user_id = ?1`).bind(userId))
    .concat(
      ["DELETE FROM users WHERE id = ?1", takeOffLists].map((statement) => database.prepare(statement).bind(userId)),
    )
