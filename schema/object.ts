import { sql } from "drizzle-orm"
import { blob, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core"
import { sourceDetails } from "./sourceDetails.ts"

// The SQLite of one person's object. Times are epoch milliseconds.

/** One row: whose object this is, and how its deliveries go. */
export const person = sqliteTable("person", {
  id: integer("id").primaryKey(),
  userId: text("user_id").notNull(),
  createdAt: integer("created_at").notNull(),
  /** Failed deliveries in a row, when the next is due, and why the last failed. */
  deliveryFailures: integer("delivery_failures").notNull().default(0),
  deliveryRetryAt: integer("delivery_retry_at"),
  deliveryFailure: text("delivery_failure"),
  /** When D1 last got a heartbeat, and whether something has happened since that it should hear of now. */
  heartbeatAt: integer("reported_at"),
  isHeartbeatDue: integer("is_report_due", { mode: "boolean" }).notNull().default(true),
  /** Whether D1 is kept a copy of every grant held here: the stage `live` of the move. */
  isMirrored: integer("is_mirrored", { mode: "boolean" }).notNull().default(false),
  /** The highest lease of the migrator that anything was asked under here: what comes under an earlier one is refused. */
  lease: integer("lease").notNull().default(0),
  /** The part that an alarm is at which does its parts one by one, because those before it ended with the object's death. */
  alarmPart: text("alarm_part"),
})

/** One row, once the person has been erased: what was under way then must bring nothing back. */
export const tombstone = sqliteTable("tombstone", {
  id: integer("id").primaryKey(),
  forgottenAt: integer("forgotten_at").notNull(),
  /** Above every epoch that any account had: an account that begins anew begins at this one, or a later one. */
  epoch: integer("epoch").notNull(),
})

/** One row per provider that the person has or had connected. */
export const accounts = sqliteTable("accounts", {
  provider: text("provider").primaryKey(),
  state: text("state").notNull(),
  /** Why the state is what it is. */
  reason: text("reason"),
  connectedAt: integer("connected_at").notNull(),
  /** Whether this object may use and refresh the grant, or only keeps a copy of one that D1 holds, and since which epoch. */
  isHolder: integer("is_holder", { mode: "boolean" }).notNull().default(true),
  epoch: integer("epoch").notNull().default(1),
  /** Of a copy: the generation that D1's row had. A copy of an older one never takes its place. */
  copiedGeneration: integer("copied_generation"),
  /** The provider's API is rate limited until, and why: `rate_limited` (`Retry-After`), `quota_exceeded` or `budget_spent`. */
  rateLimitedUntil: integer("held_until"),
  rateLimitReason: text("hold_reason"),
  /** The end of the last pause, of API or token endpoint, that was cut to `PAUSE_LIMIT`. */
  pauseBoundedUntil: integer("pause_bounded_until"),
  /** Failed passes in a row, and when the next is due. */
  failures: integer("failures").notNull().default(0),
  retryAt: integer("retry_at"),
  /** When the library (the list of what the person follows) was last read in full. */
  libraryReadAt: integer("library_read_at"),
  /** JSON: how the sources that this object looks after publish together, as learned in the last pass that asked any. */
  rhythm: text("rhythm"),
  /** When the library is looked at next, by that. */
  lookAt: integer("look_at"),
  /** Passes in a row that the object has died in, and the source that was being asked in one that was careful because of that. */
  cutOffs: integer("cut_offs").notNull().default(0),
  suspectSource: text("suspect_source"),
  /** When the pass under way began; left behind by an eviction, it lets the next pass go on instead of starting over. */
  passStartedAt: integer("pass_started_at"),
})

/** The grants, sealed. */
export const tokens = sqliteTable("tokens", {
  provider: text("provider").primaryKey(),
  /** Which key of `TOKEN_KEYS` seals the row. */
  keyId: text("key_id").notNull(),
  /** 12 bytes of nonce, then AES-256-GCM of the grant as JSON; bound to user and provider as additional data. */
  sealed: blob("sealed", { mode: "buffer" }).$type<Uint8Array>().notNull(),
  /** When the access token expires. */
  expiresAt: integer("expires_at").notNull(),
  /** Goes up with every change; a refresh that finds another generation than it began with gives way. */
  generation: integer("generation").notNull(),
  /** When the grant was last set or refreshed; a keep-alive is due 30 days later. */
  keptAliveAt: integer("exercised_at").notNull(),
  failures: integer("failures").notNull().default(0),
  /** No refresh before this moment: backoff after a failure. */
  retryAt: integer("retry_at"),
  /** Until when the token endpoint asked not to be asked (`Retry-After`). */
  refreshLimitedUntil: integer("refresh_limited_until"),
  /** When the refresh under way began; left behind by a process that died, it tells that the provider's answer may be lost. */
  refreshBegunAt: integer("refresh_begun_at"),
  /** Whether the last refresh brought another refresh token; `null` before the first. Where none comes, none is lost. */
  isRotated: integer("is_rotated", { mode: "boolean" }),
  /** Refusals in a row, and when a refused grant is tried again; `null` for never. */
  refusals: integer("refusals").notNull().default(0),
  refusedRetryAt: integer("refused_retry_at"),
  /** When the person authorized the grant; a refresh does not change it. `null` where nobody knows. */
  authorizedAt: integer("authorized_at"),
  /** The name of the OAuth client that the grant was issued to; `null`: the default one. */
  client: text("client"),
  /** The last warning that was given before the grant ends, in days before the end; `null` for none. */
  warnedDays: integer("warned_days"),
})

/**
 * The pages of the library as last read, so that the provider need not send a page again that has not changed (304). While the library
 * lists nothing and that is not believed yet, a row `emptied` has in place of a total when that began, in epoch milliseconds.
 */
export const libraryPages = sqliteTable(
  "library_pages",
  {
    provider: text("provider").notNull(),
    /** The page's offset or page token; empty for the first. */
    pageKey: text("page_key").notNull(),
    etag: text("etag").notNull(),
    nextKey: text("next_key"),
    /** Entries on the page, and entries in all as the provider says; `null` where it cannot be relied on. */
    size: integer("size").notNull(),
    total: integer("total"),
    /** JSON array of source ids. */
    sourceIds: text("source_ids").notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.pageKey] })],
)

/** What the person follows. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    provider: text("provider").notNull(),
    sourceId: text("source_id").notNull(),
    ...sourceDetails,
    followedAt: integer("followed_at").notNull(),
    /** The item count that the library showed when the source was last polled with success. */
    itemCount: integer("item_count"),
    /** The item count in the library now; becomes `item_count` when a poll has succeeded. */
    listedCount: integer("listed_count"),
    /** Entity tag of the first page of items. */
    etag: text("etag"),
    state: text("state").notNull().default("active"),
    /** Whether the source has to be asked for items; survives an eviction in the middle of a pass. */
    isPending: integer("is_pending", { mode: "boolean" }).notNull().default(true),
    /** Whether the source has published without a change of its item count: then it is asked whenever it is due. */
    isCountUnreliable: integer("is_count_unreliable", { mode: "boolean" }).notNull().default(false),
    /** When the next recheck is due: the source is asked although its item count stands still. */
    recheckDueAt: integer("verify_at").notNull(),
    intervalMs: integer("interval_ms").notNull(),
    dueAt: integer("due_at").notNull(),
    polledAt: integer("polled_at"),
    /** When a hub said that it looks after the source; `null` while this object alone does. */
    watchedAt: integer("watched_at"),
    /** `null` until the first poll, which delivers the backfill. */
    backfilledAt: integer("backfilled_at"),
    /** Items published before this and not listed above a known one are archive. */
    archiveBefore: integer("archive_before"),
    publishedAt: integer("published_at"),
    failures: integer("failures").notNull().default(0),
    reason: text("reason"),
  },
  (table) => [primaryKey({ columns: [table.provider, table.sourceId] })],
)

/** Known items, the newest of each source: they tell a new item from one delivered before. Without rowid: one written row for each. */
export const items = sqliteTable(
  "items",
  {
    provider: text("provider").notNull(),
    sourceId: text("source_id").notNull(),
    itemId: text("item_id").notNull(),
    publishedAt: integer("published_at").notNull(),
    /** Order of arrival; the lowest are forgotten first. */
    seenAt: integer("seen_at").notNull(),
    /** `delivered`, `archive` (older than the backfill) or `waiting` (upcoming, unplayable, or not described yet). */
    state: text("state").notNull(),
    /** When a waiting item is rechecked. */
    recheckAt: integer("recheck_at"),
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.sourceId, table.itemId] }),
    // Few items wait; what is due is asked for in every poll, and must not read all that are known.
    index("items_waiting").on(table.provider, table.recheckAt).where(sql`state = 'waiting'`),
  ],
)

/**
 * What D1 has to be told, in order. The id of the last row comes again once that is deleted, so whoever deletes rows does it where no
 * delivery is under way: that one would delete another row by the same id.
 */
export const outbox = sqliteTable("outbox", {
  id: integer("id").primaryKey(),
  /** `item`, `source`, `follow`, `unfollow`, `unfollow_all`, `account`, `mirror` or `cursors`. */
  kind: text("kind").notNull(),
  /** JSON. */
  body: text("body").notNull(),
})

/** Rows of the outbox that D1 refuses for what they are: they stop nobody else, and wait for an operator. */
export const setAside = sqliteTable("set_aside", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  /** As in the outbox. */
  kind: text("kind").notNull(),
  body: text("body").notNull(),
  /** What D1 said, and when. */
  reason: text("reason").notNull(),
  refusedAt: integer("refused_at").notNull(),
})

/** What happened to accounts and grants: the newest 500. */
export const tokenEvents = sqliteTable("token_events", {
  id: integer("id").primaryKey({ autoIncrement: true }),
  provider: text("provider").notNull(),
  type: text("type").notNull(),
  at: integer("at").notNull(),
  detail: text("detail"),
  isPublished: integer("is_published", { mode: "boolean" }).notNull().default(false),
})

/** The newest 50 passes that asked for items, failed, or were asked for: the next one takes the place of the oldest. */
export const polls = sqliteTable("polls", {
  id: integer("id").primaryKey(),
  provider: text("provider").notNull(),
  trigger: text("trigger").notNull(),
  startedAt: integer("started_at").notNull(),
  durationMs: integer("duration_ms").notNull(),
  outcome: text("outcome").notNull(),
  asked: integer("asked").notNull(),
  failed: integer("failed").notNull(),
  itemsFound: integer("items_found").notNull(),
  requests: integer("requests").notNull(),
})

/** Token operations that this object has answered, counted, to compare both sides during the move. */
export const operations = sqliteTable(
  "operations",
  {
    /** `read`, `write` or `refresh`. */
    operation: text("operation").notNull(),
    /** `ok`, the tag of an error, or `Defect`. */
    outcome: text("outcome").notNull(),
    count: integer("count").notNull(),
    /** Milliseconds, of all together and of the slowest. */
    totalMs: integer("total_ms").notNull(),
    slowestMs: integer("slowest_ms").notNull(),
  },
  (table) => [primaryKey({ columns: [table.operation, table.outcome] })],
)
