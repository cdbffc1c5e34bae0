import { accounts, items, libraryPages, subscriptions } from "../../../schema/object.ts"
import { columns, type RowOf } from "../columns.ts"

// The SQL of a poll, as it stands: on this path, drizzle's building and mapping cost several times what SQLite takes to run a
// statement. What has as many rows as there are sources or items comes as one JSON parameter. Everything else is drizzle's to build.

/** A row, if the account is this object's to poll. */
export const selectPolled = "SELECT 1 FROM accounts WHERE provider = ?1 AND state = 'connected' AND is_holder"

// A pass over an account.

const account = columns(accounts, "passStartedAt", "failures", "isHolder", "cutOffs", "suspectSource", "rhythm")
export type AccountInPass = RowOf<typeof account>
export const selectAccount = `SELECT ${account.sql} FROM accounts WHERE provider = ?1`

export const countSources = "SELECT count(*) AS sources FROM subscriptions WHERE provider = ?1"

// A rate limit is taken away only when it is over: somebody else's request may have brought a new one while the pass was under way.
const passEnded = `failures = 0, retry_at = NULL, pass_started_at = NULL, cut_offs = 0, suspect_source = NULL,
  hold_reason = CASE WHEN held_until <= ?2 THEN NULL ELSE hold_reason END,
  held_until = CASE WHEN held_until <= ?2 THEN NULL ELSE held_until END`
export const endPass = `UPDATE accounts SET rhythm = ?3, look_at = ?4, ${passEnded} WHERE provider = ?1`

/** How long an episode may have a day and no time and yet be taken to have appeared when it was found, in milliseconds. */
const foundWithinMs = 2 * 24 * 3_600_000

/** What the backfill brought was seen within so many milliseconds of it. */
const backfillMs = 60_000

/**
 * The times at which items of each source appeared, as JSON: as the provider says, or, where it knows no time of day, when they were found,
 * unless that was long after.
 */
export const selectArrivals = `SELECT json_group_array(CASE
    WHEN items.published_at % 86400000 = 0 AND items.state = 'delivered' AND seen_at - items.published_at < ${foundWithinMs}
      AND seen_at > source.backfilled_at + ${backfillMs} THEN seen_at ELSE items.published_at END) AS times
  FROM subscriptions source JOIN items USING (provider, source_id)
  WHERE provider = ?1 AND watched_at IS NULL AND items.published_at > ?2 GROUP BY source_id`

/** The pass before has left its beginning behind: the object died in it, or it ended with a failure, which sets the count back. */
export const countCutOff =
  "UPDATE accounts SET cut_offs = cut_offs + 1 WHERE provider = ?1 RETURNING cut_offs AS cutOffs"
export const forgetCutOffs =
  "UPDATE accounts SET cut_offs = 0, suspect_source = NULL WHERE provider = ?1 AND cut_offs > 0"
export const suspect = "UPDATE accounts SET suspect_source = ?2 WHERE provider = ?1"

/** How many passes an object remembers. */
const passesKept = 50

// Nothing is written any more of an account that was forgotten meanwhile. The oldest pass makes room: one written row, and no deletion.
export const recordPass = `INSERT INTO polls (id, provider, trigger, started_at, duration_ms, outcome, asked, failed, items_found, requests)
  SELECT iif((SELECT count(*) FROM polls) < ${passesKept}, (SELECT 1 + coalesce(max(id), 0) FROM polls),
    (SELECT id FROM polls ORDER BY started_at, id LIMIT 1)), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
  WHERE EXISTS (SELECT 1 FROM accounts WHERE provider = ?1)
  ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, trigger = excluded.trigger, started_at = excluded.started_at,
    duration_ms = excluded.duration_ms, outcome = excluded.outcome, asked = excluded.asked, failed = excluded.failed,
    items_found = excluded.items_found, requests = excluded.requests`

// The library: what the person follows.

const libraryPage = columns(libraryPages, "etag", "nextKey", "size", "total", "sourceIds")
export type LibraryPageRow = RowOf<typeof libraryPage>
export const selectPage = `SELECT ${libraryPage.sql} FROM library_pages WHERE provider = ?1 AND page_key = ?2`

/** The row among the pages that says since when the library lists nothing, in place of a total, until that is believed. */
const emptiedKey = "emptied"
export const selectEmptiedAt = `SELECT total AS emptiedAt FROM library_pages WHERE provider = ?1 AND page_key = '${emptiedKey}'`

export const recordEmptied = `INSERT INTO library_pages (provider, page_key, etag, size, total, source_ids)
  VALUES (?1, '${emptiedKey}', '', 0, ?2, '[]')`

export const forgetEmptied = `DELETE FROM library_pages WHERE provider = ?1 AND page_key = '${emptiedKey}'`

export const deletePages =
  "DELETE FROM library_pages WHERE provider = ?1 AND page_key NOT IN (SELECT value FROM json_each(?2))"

export const insertPage = `INSERT INTO library_pages (provider, page_key, etag, next_key, size, total, source_ids)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
  ON CONFLICT DO UPDATE SET etag = excluded.etag, next_key = excluded.next_key, size = excluded.size, total = excluded.total,
    source_ids = excluded.source_ids`

/**
 * Which sources are to be asked, as of `?2`: those that have not been asked yet, whose count has changed, that are due for a check all
 * the same, or of which an item waits. It follows from what is known of them, so that nothing is written to say so, and an eviction in the
 * middle of a pass leaves behind those that have not been asked. A hub tells of the sources that it looks after.
 */
const isToBeAsked = `(is_pending OR (watched_at IS NULL AND (
    (listed_count IS NOT item_count AND state <> 'gone') OR verify_at <= ?2 OR (is_count_unreliable AND due_at <= ?2)))
  OR source_id IN (SELECT source_id FROM items WHERE provider = ?1 AND state = 'waiting' AND recheck_at <= ?2))`

/** Whether any source is to be asked, now or when it is due again. */
export const selectIsAnyPending = `SELECT 1 FROM subscriptions WHERE provider = ?1 AND ${isToBeAsked} LIMIT 1`

export const endLibrary = "UPDATE accounts SET library_read_at = ?2, pass_started_at = ?2 WHERE provider = ?1"
/** The end of a library after which nothing is to be asked, and with it of the pass: one written row, and not two. */
export const endIdlePass = `UPDATE accounts SET library_read_at = ?2, look_at = ?3, ${passEnded} WHERE provider = ?1`

const followed = columns(subscriptions, "sourceId", "title", "url", "imageUrl", "listedCount")
export type FollowedSource = RowOf<typeof followed>
export const selectFollowed = `SELECT ${followed.sql} FROM subscriptions WHERE provider = ?1`

export const selectFollowedIds = "SELECT source_id AS id FROM subscriptions WHERE provider = ?1"

export const updateListed = `UPDATE subscriptions SET title = listed.value->>'title', url = listed.value->>'url',
    image_url = listed.value->>'imageUrl', listed_count = listed.value->>'itemCount'
  FROM json_each(?2) listed WHERE provider = ?1 AND source_id = listed.value->>'sourceId'`

export const pending = columns(
  subscriptions,
  ...(["provider", "sourceId", "title", "itemCount", "listedCount", "etag", "isCountUnreliable"] as const),
  ...(["backfilledAt", "archiveBefore", "publishedAt", "recheckDueAt", "polledAt", "failures", "reason"] as const),
)
/** A source that has to be asked. */
export type PendingSource = RowOf<typeof pending>
// Longest unseen first: a provider that always asks for silence half-way must not keep the others waiting for ever.
export const selectPending = `SELECT ${pending.sql} FROM subscriptions
  WHERE provider = ?1 AND ${isToBeAsked} AND (failures = 0 OR due_at <= ?3) ORDER BY polled_at`

// Sources that hubs look after.

export const selectTitle = "SELECT title FROM subscriptions WHERE provider = ?1 AND source_id = ?2"
export const selectWatched =
  "SELECT source_id AS sourceId, watched_at AS watchedAt FROM subscriptions WHERE provider = ?1"
export type WatchedRow = Readonly<Record<"sourceId", string> & Record<"watchedAt", number | null>>

/** What appeared until the hub knew a source is this object's to find: it is asked once more. */
export const beginWatched = `UPDATE subscriptions SET watched_at = ?3, is_pending = 1
  WHERE provider = ?1 AND source_id IN (SELECT value FROM json_each(?2))`
export const goOnWatched = `UPDATE subscriptions SET watched_at = ?3
  WHERE provider = ?1 AND source_id IN (SELECT value FROM json_each(?2))`
/** The object looks after a source by itself again, from what it knew when it last did. */
export const endWatched = `UPDATE subscriptions SET watched_at = NULL, is_pending = 1
  WHERE provider = ?1 AND source_id IN (SELECT value FROM json_each(?2))`
export const endAllWatched =
  "UPDATE subscriptions SET watched_at = NULL, is_pending = 1 WHERE provider = ?1 AND watched_at IS NOT NULL"

// The check of a source.

const known = columns(items, "itemId", "publishedAt", "state", "recheckAt")
/** An item known, as it is kept. */
export type KnownItem = RowOf<typeof known>
// As one value: of a row for each of up to two hundred items, the rows would cost more than what is in them.
export const selectItems = `SELECT json_group_array(${known.json}) AS known FROM items WHERE provider = ?1 AND source_id = ?2`

const recordSourceWhere = (
  condition: string,
) => `UPDATE subscriptions SET state = 'active', item_count = ?3, etag = ?4, is_pending = 0,
    is_count_unreliable = ?5, verify_at = ?6, interval_ms = ?7, due_at = ?8, polled_at = ?9,
    backfilled_at = coalesce(backfilled_at, iif(?12, ?9, NULL)), archive_before = ?10, published_at = ?11, failures = 0, reason = NULL
  WHERE provider = ?1 AND source_id = ?2 AND ${condition} RETURNING 1`
// Nothing is recorded of a source that was unfollowed, or handed back, while it was asked: it is not this object's to deliver.
export const recordSource = recordSourceWhere(`EXISTS (${selectPolled})`)
/** The same in a hub, whose sources are nobody's in particular. */
export const recordPublicSource = recordSourceWhere("true")

// A millisecond for each row keeps their order among those that were seen at once.
export const rememberItems = `INSERT INTO items (provider, source_id, item_id, published_at, seen_at, state, recheck_at)
  SELECT ?1, ?2, value->>'itemId', value->>'publishedAt', ?3 + key, ?4, value->>'recheckAt' FROM json_each(?5) WHERE true
  ON CONFLICT DO UPDATE SET published_at = excluded.published_at, state = excluded.state, recheck_at = excluded.recheck_at`

const newest = (...by: ReadonlyArray<string>) =>
  `SELECT item_id FROM items WHERE provider = ?1 AND source_id = ?2 ORDER BY ${by.map((column) => `${column} DESC`).join(", ")} LIMIT ?3`

/** Forgets all but the newest `?3`, by date and by arrival: an item with an old date can be on top of the listing all the same. */
export const pruneItems = `DELETE FROM items WHERE provider = ?1 AND source_id = ?2 AND state <> 'waiting'
  AND item_id NOT IN (${newest("published_at", "seen_at", "item_id")}) AND item_id NOT IN (${newest("seen_at", "item_id")})`

/** Has D1 told at once how many sources fail. */
export const heartbeatSoon = "UPDATE person SET is_report_due = 1"

export const enqueue = "INSERT INTO outbox (kind, body) VALUES (?1, ?2)"

export const enqueueItems = "INSERT INTO outbox (kind, body) SELECT 'item', value FROM json_each(?1)"
