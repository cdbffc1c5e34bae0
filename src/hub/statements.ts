import { hub, pushes, subscriptions, watched } from "../../schema/hub.ts"
import { arrivalOfNew } from "../feed/statements.ts"
import { columns, type RowOf } from "../object/columns.ts"
import { pending } from "../object/polling/statements.ts"

// The SQL of a hub: first that of its own storage.

const self = columns(
  hub,
  ...(["name", "lookedUntil", "feedsOutSince", "apiLimitedUntil", "spareDay", "spareLooks"] as const),
  ...(["deliveryFailures", "deliveryRetryAt", "pushSecret", "pushRetryAt", "suspect"] as const),
)
/** How far the hub is. */
export type Self = RowOf<typeof self>
export const selectSelf = `SELECT ${self.sql} FROM hub`
export const insertSelf = "INSERT INTO hub (id, name, looked_until) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING"
export const updateSelf = `UPDATE hub SET looked_until = ?1, feeds_out_since = ?2, spare_day = ?3, spare_looks = ?4`
export const suspect = "UPDATE hub SET suspect = ?1"
export const shun = "UPDATE watched SET shunned_until = ?2 WHERE source_id = ?1"
export const limitApi = "UPDATE hub SET api_limited_until = ?1"
export const delayDelivery = "UPDATE hub SET delivery_failures = ?1, delivery_retry_at = ?2"
export const endDelivery =
  "UPDATE hub SET delivery_failures = 0, delivery_retry_at = NULL WHERE delivery_failures > 0 OR delivery_retry_at IS NOT NULL"

const schedule = columns(subscriptions, "dueAt", "isPending", "state")
const besides = columns(
  watched,
  ...([
    "askedAt",
    "followers",
    "countedAt",
    "rhythm",
    "requestedAt",
    "feedFailures",
    "isUnfinished",
    "shunnedUntil",
  ] as const),
)
/** A source that the hub looks after. */
export type HubSource = RowOf<typeof pending> & RowOf<typeof schedule> & RowOf<typeof besides>
export const selectSources = `SELECT ${pending.sql}, ${schedule.sql}, ${besides.sql}
  FROM subscriptions JOIN watched USING (source_id) WHERE provider = ?1`
export const selectThese = `${selectSources} AND source_id IN (SELECT value FROM json_each(?2))`

/** The sources of which items wait, and when the first of them is to be looked at. */
export const selectWaiting = `SELECT source_id AS sourceId, min(recheck_at) AS at FROM items INDEXED BY items_waiting
  WHERE provider = ?1 AND state = 'waiting' GROUP BY source_id`
export interface WaitingRow extends Readonly<Record<string, SqlStorageValue>> {
  readonly sourceId: string
  readonly at: number
}

/** Takes sources on; what is known already stays. Nobody has told the hub what they are called. */
export const insertSources = `INSERT INTO subscriptions (provider, source_id, title, url, followed_at, is_pending, verify_at, interval_ms, due_at)
  SELECT ?1, value, '', '', ?3, 1, ?3, ?4, ?3 FROM json_each(?2) WHERE true ON CONFLICT DO NOTHING`
/** Written once a day at most: a popular source is asked for again and again. */
export const insertWatched = `INSERT INTO watched (source_id, asked_at, counted_at) SELECT value, ?2, ?2 FROM json_each(?1) WHERE true
  ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at WHERE asked_at < excluded.asked_at - 86400000`
export const deleteSource = ["subscriptions", "items", "watched", "pushes", "hints"].map(
  (table) => `DELETE FROM ${table} WHERE source_id = ?1`,
)
export const recordCount = "UPDATE watched SET followers = ?2, counted_at = ?3, rhythm = ?4 WHERE source_id = ?1"
export const recordRhythm = "UPDATE watched SET rhythm = ?2 WHERE source_id = ?1"
export const selectPublished =
  "SELECT published_at AS at FROM items WHERE provider = ?1 AND source_id = ?2 ORDER BY published_at DESC LIMIT ?3"
export const recordRequested = `UPDATE watched SET requested_at = ?2 WHERE source_id IN (SELECT value FROM json_each(?1))`
export const recordFeedFailure = "UPDATE watched SET feed_failures = feed_failures + 1 WHERE source_id = ?1"
export const forgetFeedFailures = "UPDATE watched SET feed_failures = 0 WHERE source_id = ?1"
export const recordUnfinished = "UPDATE watched SET is_unfinished = ?2 WHERE source_id = ?1"

export const selectListing = "SELECT listing FROM listings WHERE source_id = ?1 AND read_at > ?2"
export const insertListing = `INSERT INTO listings (source_id, listing, read_at) VALUES (?1, ?2, ?3)
  ON CONFLICT DO UPDATE SET listing = excluded.listing, read_at = excluded.read_at WHERE read_at < excluded.read_at`
export const deleteOldListings = "DELETE FROM listings WHERE read_at < ?1"
export const selectOldestListing = "SELECT min(read_at) AS oldest FROM listings"

const ofPushes = columns(pushes, "sourceId", "askedAt", "leasedUntil", "told", "missed")
/** How it stands with the pushes of a source. */
export type PushesRow = RowOf<typeof ofPushes>
export const selectAllPushes = `SELECT ${ofPushes.sql} FROM pushes`
export const selectPushes = `${selectAllPushes} WHERE source_id = ?1`
export const keepPushSecret = "UPDATE hub SET push_secret = ?1"
export const delayPushRequests = "UPDATE hub SET push_retry_at = ?1"
/** What was missed until then is no reason to ask a second time. */
export const recordPushRequest = `INSERT INTO pushes (source_id, asked_at) VALUES (?1, ?2)
  ON CONFLICT DO UPDATE SET asked_at = excluded.asked_at, missed = 0`
export const leasePushes = "UPDATE pushes SET leased_until = ?2 WHERE source_id = ?1"
export const recordPush =
  "UPDATE pushes SET told = told + ?2, missed = 0 WHERE source_id = ?1 AND (?2 > 0 OR missed > 0)"
export const recordMissed = "UPDATE pushes SET missed = missed + ?2 WHERE source_id = ?1 AND leased_until > ?3"
export const insertHint = `INSERT INTO hints (source_id, item_id, published_at, pushed_at)
  SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM hints) < ?5 ON CONFLICT DO NOTHING`
export const selectHints = `SELECT source_id AS sourceId, item_id AS itemId, published_at AS publishedAt FROM hints`
export interface HintRow extends Readonly<Record<string, SqlStorageValue>> {
  readonly sourceId: string
  readonly itemId: string
  readonly publishedAt: number
}
export const selectFirstHint = "SELECT min(pushed_at) AS first FROM hints"
/** Those of what is known by now, and of sources that are left alone. */
export const deleteIdleHints = `DELETE FROM hints
  WHERE source_id NOT IN (SELECT source_id FROM watched WHERE coalesce(shunned_until, 0) <= ?2)
    OR EXISTS (SELECT 1 FROM items WHERE provider = ?1 AND items.source_id = hints.source_id AND items.item_id = hints.item_id)`

// And that of D1. CROSS JOIN: in this order, each by its key or index. Left to itself, SQLite may read a whole table.

/** Counts who follows these sources and has them polled by an object. */
export const countFollowers = `SELECT follow.external_id AS sourceId, count(*) AS followers
  FROM json_each(?1) wanted CROSS JOIN user_subscriptions follow ON follow.provider = ?2 AND follow.external_id = wanted.value
  CROSS JOIN user_accounts account ON account.user_id = follow.user_id AND account.provider = follow.provider
  WHERE account.holder = 'object' AND account.is_active GROUP BY follow.external_id`

const insertFor = (
  follow: string,
) => `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at, arrival)
  SELECT follow.user_id, item.published_at, item.provider, item.external_id, item.published_at / 1000 < follow.followed_at / 1000, value->>'at',
    ${arrivalOfNew("follow.user_id")}
  FROM json_each(?1) CROSS JOIN feed_items item ON item.provider = value->>'provider' AND item.external_id = value->>'externalId'
  CROSS JOIN ${follow}
  CROSS JOIN user_accounts account ON account.user_id = follow.user_id AND account.provider = item.provider
  WHERE account.holder = 'object' AND account.is_active ON CONFLICT DO NOTHING`

/**
 * Puts items into the feeds of all who follow their source and have it polled by an object; the legacy poller finds them itself. What
 * was published before somebody followed, by YouTube's whole seconds, is backfill to them.
 */
export const insertFeeds = insertFor(
  "user_subscriptions follow ON follow.provider = item.provider AND follow.external_id = value->>'sourceId'",
)

const range = `(SELECT user_id, followed_at FROM user_subscriptions
    WHERE provider = ?2 AND external_id = ?3 AND user_id > ?4 ORDER BY user_id LIMIT ?5)`

/** The same of the items of one source (`?2`, `?3`), for the next `?5` of its followers, in the order of their ids, from after `?4` on. */
export const insertFeedsInRange = insertFor(`${range} follow`)

/** The last of those, and how many they are. */
export const selectRange = `SELECT max(user_id) AS last, count(*) AS followers FROM ${range.replaceAll(/\?[2-5]/g, (name) => `?${Number(name[1]) - 1}`)}`
export interface Range {
  readonly last: string | null
  readonly followers: number
}

/** Of these sources, those that so many follow or more, as they were counted last. */
export const selectPopular = `SELECT source_id AS sourceId FROM watched
  WHERE source_id IN (SELECT value FROM json_each(?1)) AND followers >= ?2`
