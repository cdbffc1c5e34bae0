import { accounts, outbox, person, tokens } from "../../../schema/object.ts"
import { feedStatements } from "../../feed/statements.ts"
import { columns, type RowOf } from "../columns.ts"

// The SQL of a delivery, as it stands. First that of the object's own database.

const self = columns(person, "createdAt", "deliveryFailures", "heartbeatAt", "isHeartbeatDue")
/** Whose object it is, and how its deliveries go. */
export type Self = RowOf<typeof self>
export const selectSelf = `SELECT ${self.sql} FROM person`

const waiting = columns(outbox, "id", "kind", "body")
export type OutboxRow = RowOf<typeof waiting>
export const selectWaiting = `SELECT ${waiting.sql} FROM outbox ORDER BY id LIMIT ?1`

export const countWaiting = "SELECT count(*) AS waiting FROM outbox"

export const insertSetAside =
  "INSERT INTO set_aside (kind, body, reason, refused_at) SELECT kind, body, ?2, ?3 FROM outbox WHERE id = ?1"

const isFollowed = `EXISTS (SELECT 1 FROM subscriptions source
    WHERE source.provider = body->>'provider' AND source.source_id = body->>'externalId')`

// In the order in which they were refused, which is that of the outbox. What the person has done since was delivered before: a row that
// says otherwise would undo it.
export const takeSetAside = `INSERT INTO outbox (kind, body) SELECT kind, body FROM set_aside
  WHERE CASE kind WHEN 'follow' THEN ${isFollowed} WHEN 'unfollow' THEN NOT ${isFollowed} ELSE true END ORDER BY id`
export const deleteSetAside = "DELETE FROM set_aside"

export const deleteSent = "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1))"

export const endDelivery = `UPDATE person SET delivery_failures = 0, delivery_retry_at = NULL, delivery_failure = NULL,
    reported_at = coalesce(?1, reported_at), is_report_due = coalesce(?2, is_report_due)
  WHERE ?1 IS NOT NULL OR ?2 IS NOT NULL OR delivery_failures > 0 OR delivery_retry_at IS NOT NULL OR delivery_failure IS NOT NULL`

const held = columns(accounts, "provider", "state", "reason", "epoch", "pauseBoundedUntil")
const life = columns(tokens, "authorizedAt", "client")
/** An account that the object holds, as D1 is told of it. */
export type HeldAccount = RowOf<typeof held> & RowOf<typeof life>
export const selectHeld = `SELECT ${held.sql}, ${life.sql} FROM accounts LEFT JOIN tokens USING (provider) WHERE is_holder`

// And that of D1: every statement takes its rows as one JSON parameter, and may be run again.

/** What is written to the person's feed, and to what they follow. */
export const feed = feedStatements({ userId: "?2", rows: "json_each(?1)" })

export const deleteAllFollows = "DELETE FROM user_subscriptions WHERE user_id = ?2 AND provider = ?1"

export const upsertUser = `INSERT INTO users (id, durable_object_id, created_at) VALUES (?1, ?2, ?3)
  ON CONFLICT (id) DO UPDATE SET durable_object_id = excluded.durable_object_id
  WHERE durable_object_id IS NOT excluded.durable_object_id`

// A row that D1 holds, or that has gone on to another epoch, is no business of this object's any more.
export const upsertAccounts = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder, epoch,
    authorized_at, client)
  SELECT ?2, value->>'provider', value->>'state' <> 'disconnected', value->>'state', ?3, 'object', value->>'epoch',
    value->>'authorizedAt', value->>'client'
  FROM json_each(?1) WHERE true
  ON CONFLICT (user_id, provider) DO UPDATE
  SET is_active = excluded.is_active, state = excluded.state, updated_at = excluded.updated_at,
    authorized_at = excluded.authorized_at, client = excluded.client
  WHERE holder = 'object' AND epoch = excluded.epoch`

export const updateMirror = `UPDATE user_accounts SET access_token = held.value->>'accessToken', refresh_token = held.value->>'refreshToken',
    expires_at = held.value->>'expiresAt', scope = held.value->>'scope',
    authorized_at = held.value->>'authorizedAt', client = held.value->>'client', generation = generation + 1, updated_at = ?3
  FROM json_each(?1) held
  WHERE user_id = ?2 AND provider = held.value->>'provider' AND holder = 'object' AND epoch = held.value->>'epoch'`

export const updateCursors = `UPDATE user_subscriptions SET polled_at = source.value->>'polledAt', item_count = source.value->>'itemCount'
  FROM json_each(?1) source
  WHERE user_id = ?2 AND provider = source.value->>'provider' AND external_id = source.value->>'sourceId'`

export const upsertStatus = `INSERT INTO durable_object_status (user_id, durable_object_id, reported_at, expected_by, next_due_at,
    sources, failing_sources, accounts, operations, set_aside) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
  ON CONFLICT (user_id) DO UPDATE SET durable_object_id = excluded.durable_object_id, reported_at = excluded.reported_at,
    expected_by = excluded.expected_by, next_due_at = excluded.next_due_at, sources = excluded.sources,
    failing_sources = excluded.failing_sources, accounts = excluded.accounts, operations = excluded.operations,
    set_aside = excluded.set_aside`

const takeOffLists = `UPDATE feature_flags SET
    allow_list = (SELECT json_group_array(value) FROM json_each(allow_list) WHERE value <> ?1),
    deny_list = (SELECT json_group_array(value) FROM json_each(deny_list) WHERE value <> ?1)
  WHERE ?1 IN (SELECT value FROM json_each(allow_list)) OR ?1 IN (SELECT value FROM json_each(deny_list))`

// Where runs of scheduled workers stopped are people's ids. Without one, the next run begins anew.
const takePlaces = `UPDATE durable_object_metrics SET figures = replace(figures, json_quote(?1), '""')
  WHERE kind IN ('cron_run', 'legacy_run') AND instr(figures, json_quote(?1)) > 0`

/** The highest epoch that D1 has for an account of the person; `?1` is their id. Asked in the batch that erases the rows. */
export const highestEpoch = "SELECT coalesce(max(epoch), 0) AS epoch FROM user_accounts WHERE user_id = ?1"

/** Takes a person out of D1, one statement a table; `?1` is their id. Items and sources are shared, and stay. */
export const erasure: ReadonlyArray<string> = [
  ...[
    "user_feed_items",
    "user_subscriptions",
    "user_accounts",
    "durable_object_status",
    "token_migration_status",
    "token_migration_history",
    "migration_duplicates",
  ].map((table) => `DELETE FROM ${table} WHERE user_id = ?1`),
  "DELETE FROM users WHERE id = ?1",
  takeOffLists,
  takePlaces,
]
