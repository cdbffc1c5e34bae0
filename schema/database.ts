import { sql } from "drizzle-orm"
import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core"
import { sourceDetails } from "./sourceDetails.ts"

// The shared D1 database. Times are epoch milliseconds. Tables marked "without rowid" cost one written row per insert
// instead of two (D1 counts index writes); drizzle cannot say that, so `migrations/generate.ts` adds it.

/** Everybody who is known. Without rowid. */
export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  /** Set while the person's own object holds their grants; `null` for people who have not moved or were taken back. */
  durableObjectId: text("durable_object_id"),
  createdAt: integer("created_at").notNull(),
})

/** One row per person and provider. Without rowid. */
export const userAccounts = sqliteTable(
  "user_accounts",
  {
    userId: text("user_id").notNull(),
    provider: text("provider").notNull(),
    /** False after the person disconnected the account: nothing is polled. */
    isActive: integer("is_active", { mode: "boolean" }).notNull().default(true),
    /** `connected`, `reauthorization_required` or `disconnected`, as the holder last said. */
    state: text("state").notNull().default("connected"),
    updatedAt: integer("updated_at").notNull(),
    /** The token columns, in plain text: the grant of people who have not moved, a mirror at `live`; `migrations/contract` drops them. */
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    expiresAt: integer("expires_at"),
    /** Separated by spaces. */
    scope: text("scope"),
    /** Which side may refresh: `database` or `object`. The epoch goes up whenever that changes. See docs/move.md. */
    holder: text("holder").notNull().default("database"),
    epoch: integer("epoch").notNull().default(1),
    /** Goes up with every change of these tokens; a write that finds another than it read gives way. */
    generation: integer("generation").notNull().default(0),
    /** Which refresh from this side is under way, and until when no other may begin: longer than the longest refresh. */
    refreshClaim: text("refresh_claim"),
    refreshClaimedUntil: integer("refresh_claimed_until"),
    /** Until when a hand-over keeps new refreshes out. */
    fencedUntil: integer("fenced_until"),
    /** When the person authorized the grant, as the holder last said; `null` where nobody knows. No secret: the drop step leaves it. */
    authorizedAt: integer("authorized_at"),
    /** The name of the OAuth client that the grant was issued to; `null`: the default one. */
    client: text("client"),
    /**
     * While D1 holds the account: refusals of the grant in a row, and until when no refresh is made. Of a refused grant that is when it
     * is tried again (`null`: never), of any other what the token endpoint asked for by `Retry-After`.
     */
    refusals: integer("refusals").notNull().default(0),
    refreshRetryAt: integer("refresh_retry_at"),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.provider] }),
    index("user_accounts_by_holder").on(table.holder, table.userId, table.provider),
  ],
)

/** Shows and channels, once each. Without rowid. */
export const subscriptions = sqliteTable(
  "subscriptions",
  {
    provider: text("provider").notNull(),
    /** The provider's id of the show or channel. */
    sourceId: text("external_id").notNull(),
    ...sourceDetails,
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.provider, table.sourceId] })],
)

/** Who follows what. Without rowid. */
export const userSubscriptions = sqliteTable(
  "user_subscriptions",
  {
    userId: text("user_id").notNull(),
    provider: text("provider").notNull(),
    sourceId: text("external_id").notNull(),
    followedAt: integer("followed_at").notNull(),
    /**
     * The legacy poller's cursor, until the person has moved: when it last asked, and the item count then, less the items that could not
     * be played yet; -1 if the count was found to tell nothing; below that, -2 less the count, if nothing has been listed yet.
     */
    polledAt: integer("polled_at"),
    itemCount: integer("item_count"),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.provider, table.sourceId] }),
    // A hub asks who follows a source.
    index("user_subscriptions_by_source").on(table.provider, table.sourceId, table.userId),
  ],
)

/** Episodes and videos, once each. Without rowid. */
export const feedItems = sqliteTable(
  "feed_items",
  {
    provider: text("provider").notNull(),
    /** The provider's id of the episode or video. */
    itemId: text("external_id").notNull(),
    sourceId: text("source_id").notNull(),
    kind: text("kind").notNull(),
    title: text("title").notNull(),
    description: text("description").notNull(),
    url: text("url").notNull(),
    imageUrl: text("image_url"),
    /**
     * The publication time by which feeds are ordered: the first moment of the day, month or year if no more is known. Fixed by the
     * first delivery: it is part of the key of `user_feed_items`, and a date that a provider corrects later must not make a second row.
     */
    publishedAt: integer("published_at").notNull(),
    /** `year`, `month`, `day` or `instant`: how exactly `published_at` is known. */
    precision: text("precision").notNull(),
    durationMs: integer("duration_ms"),
    isLive: integer("is_live", { mode: "boolean" }).notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.provider, table.itemId] })],
)

/**
 * A person's feed, which is read backwards by its key. Without rowid: the key is the order, so no index is needed beside it.
 * `published_at` is always taken from `feed_items`, which makes (user, provider, item) unique as well.
 */
export const userFeedItems = sqliteTable(
  "user_feed_items",
  {
    userId: text("user_id").notNull(),
    publishedAt: integer("published_at").notNull(),
    provider: text("provider").notNull(),
    itemId: text("external_id").notNull(),
    /** Whether the item was there before the person's first poll of its source. */
    isBackfill: integer("is_backfill", { mode: "boolean" }).notNull(),
    deliveredAt: integer("delivered_at").notNull(),
    /**
     * Place in the order of arrival: epoch milliseconds of the delivery, but above every place that D1 had of the person before, whatever
     * the clocks say. 0 in rows of earlier versions, which lie below by date.
     */
    arrival: integer("arrival").notNull().default(0),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.publishedAt, table.provider, table.itemId] }),
    // What is new since somebody looked last. The rest of the key follows by itself.
    index("user_feed_items_by_arrival").on(table.userId, table.arrival),
  ],
)

/** Which stage of the move people should be in: a row for each stage, and `move`, whose `is_enabled` is the kill switch. */
export const featureFlags = sqliteTable("feature_flags", {
  name: text("name").primaryKey(),
  isEnabled: integer("is_enabled", { mode: "boolean" }).notNull().default(false),
  /** Share of people, 0 to 100. */
  percentage: real("percentage").notNull().default(0),
  /** JSON arrays of user ids. */
  allowList: text("allow_list").notNull().default(sql`'[]'`),
  denyList: text("deny_list").notNull().default(sql`'[]'`),
  updatedAt: integer("updated_at").notNull(),
})

/** Where each person is in the move. People without a row are at `off`, or began in an object. */
export const tokenMigrationStatus = sqliteTable(
  "token_migration_status",
  {
    userId: text("user_id").primaryKey(),
    /** The stage reached: `off`, `dual_write`, `shadow`, `live`, `rampdown` or `complete`. */
    stage: text("stage").notNull().default("off"),
    /** The stage that the step under way, or the last one, leads to. */
    target: text("target").notNull().default("off"),
    /** `pending`, `copying`, `verifying`, `migrated`, `failed` or `rolled_back`. */
    state: text("state").notNull(),
    /** Why the last attempt at a step failed; `null` if it did not. */
    reason: text("reason"),
    /** Unsuccessful attempts at this step in a row, and when the next is due. */
    attempts: integer("attempts").notNull().default(0),
    nextAttemptAt: integer("next_attempt_at"),
    /** When the person was last found as their stage says; a verification that finds otherwise sets `null`. */
    verifiedAt: integer("verified_at"),
    runId: text("run_id"),
    /** Which attempt at a page has the person in hand: another one writes nothing about them. */
    lease: text("lease"),
    /** Goes up with every lease: an object refuses what an attempt with an earlier one still asks of it. */
    leaseNumber: integer("lease_number").notNull().default(0),
    /** The stage beyond which flags never advance the person: set by a rollback, until an operator clears it. */
    ceiling: text("ceiling"),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [
    index("token_migration_status_by_state").on(table.state, table.userId),
    index("token_migration_status_by_stage").on(table.stage, table.userId),
  ],
)

/** Every step that a person took or failed. */
export const tokenMigrationHistory = sqliteTable(
  "token_migration_history",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    userId: text("user_id").notNull(),
    at: integer("at").notNull(),
    fromStage: text("from_stage").notNull(),
    toStage: text("to_stage").notNull(),
    /** `migrated`, `rolled_back` or `failed`. */
    outcome: text("outcome").notNull(),
    reason: text("reason"),
    runId: text("run_id"),
  },
  (table) => [index("token_migration_history_by_user").on(table.userId, table.id)],
)

/** Runs of the migrator. */
export const migrationRuns = sqliteTable("migration_runs", {
  /** Also the id of the Workflow's first instance. */
  id: text("id").primaryKey(),
  startedAt: integer("started_at").notNull(),
  startedBy: text("started_by").notNull(),
  /** JSON: what the run was asked to do. */
  parameters: text("parameters").notNull(),
  /** `running`, `paused`, `finished`, `failed` or `cancelled`. */
  state: text("state").notNull(),
  /** JSON: how far it is. */
  progress: text("progress").notNull(),
  updatedAt: integer("updated_at").notNull(),
})

/** People whose grant is in the rows of somebody else as well, as a run found them when it began: neither is moved. Without rowid. */
export const migrationDuplicates = sqliteTable(
  "migration_duplicates",
  {
    runId: text("run_id").notNull(),
    userId: text("user_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.userId] })],
)

/** What operators did: the audit trail. */
export const operatorActions = sqliteTable(
  "operator_actions",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    /** Who, as far as the credential says. */
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    /** JSON: what was asked, without a secret in it. */
    detail: text("detail").notNull(),
    /** `begun` while it runs, and for ever if the worker died; `ok`; or the tag of the error. */
    outcome: text("outcome").notNull(),
  },
  (table) => [index("operator_actions_by_time").on(table.at)],
)

/** Token operations that D1 answered; an object sends its own with its heartbeat. Without rowid. */
export const tokenOperations = sqliteTable(
  "token_operations",
  {
    /** `read`, `write`, `refresh`, `compare`, or `copy` (new tokens, to an object that keeps a copy). */
    operation: text("operation").notNull(),
    /** `database` or `mirror`. */
    source: text("source").notNull(),
    /** `ok`, the tag of an error, or for `compare` `agrees` or `disagrees`. */
    outcome: text("outcome").notNull(),
    count: integer("count").notNull(),
    /** Milliseconds, of all together and of the slowest. */
    totalMs: integer("total_ms").notNull(),
    slowestMs: integer("slowest_ms").notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.operation, table.source, table.outcome] })],
)

/** The last heartbeat of each object. Cron wakes objects whose `expected_by` has passed. Without rowid and index: one written row a heartbeat. */
export const durableObjectStatus = sqliteTable("durable_object_status", {
  userId: text("user_id").primaryKey(),
  durableObjectId: text("durable_object_id").notNull(),
  heartbeatAt: integer("reported_at").notNull(),
  /** When the next heartbeat is due at the latest; `null` if no account is connected. */
  expectedBy: integer("expected_by"),
  /** When the object was next due at its heartbeat. */
  nextDueAt: integer("next_due_at"),
  sources: integer("sources").notNull(),
  failingSources: integer("failing_sources").notNull(),
  /** Rows that D1 refused for what they are, and that the object keeps aside. */
  setAside: integer("set_aside").notNull().default(0),
  /** JSON: state and reason of each account. */
  accounts: text("accounts").notNull(),
  /** JSON: token operations that the object has answered, by operation and outcome. */
  operations: text("operations").notNull().default(sql`'[]'`),
})

/** What each run of cron found and did. */
export const durableObjectMetrics = sqliteTable(
  "durable_object_metrics",
  {
    id: integer("id").primaryKey({ autoIncrement: true }),
    at: integer("at").notNull(),
    /** `cron_run` or `legacy_run`. */
    kind: text("kind").notNull(),
    /** JSON: the figures. */
    figures: text("figures").notNull(),
  },
  (table) => [index("durable_object_metrics_by_kind").on(table.kind, table.at)],
)
