import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core"

// The storage of a hub: what is public about the sources that it looks after. Times are epoch milliseconds. What a source is, its items
// and what D1 has to be told are kept as in a person's object, so that both check a source by the same code.
export { items, outbox, setAside, subscriptions } from "./object.ts"

/** One row: how far the hub is. */
export const hub = sqliteTable("hub", {
  id: integer("id").primaryKey(),
  /** The hub's name, which says which sources are its. */
  name: text("name").notNull(),
  /** Every look that was due until then has been taken. */
  lookedUntil: integer("looked_until").notNull(),
  /** Since when the feeds of all channels fail; `null` while they answer. */
  feedsOutSince: integer("feeds_out_since"),
  /** The API has asked not to be asked before. */
  apiLimitedUntil: integer("api_limited_until"),
  /** Looks by the API in place of feeds that fail, on the day (of UTC) that began then. */
  spareDay: integer("spare_day").notNull().default(0),
  spareLooks: integer("spare_looks").notNull().default(0),
  deliveryFailures: integer("delivery_failures").notNull().default(0),
  deliveryRetryAt: integer("delivery_retry_at"),
  /** What signs the pushes of WebSub, so that nobody else can send any; made when the first are asked for. */
  pushSecret: text("push_secret"),
  /** WebSub has refused, and is not asked before. */
  pushRetryAt: integer("push_retry_at"),
  /** The source that is looked at by itself, after a wake that was cut off; whoever finds it there was cut off by it. */
  suspect: text("suspect"),
})

/** What a hub knows of its sources besides. */
export const watched = sqliteTable("watched", {
  sourceId: text("source_id").primaryKey(),
  /** When somebody's object last asked for it. */
  askedAt: integer("asked_at").notNull(),
  /** People who follow it in D1, and when they were counted. */
  followers: integer("followers").notNull().default(1),
  countedAt: integer("counted_at").notNull(),
  /** JSON: how it publishes, as it was learned when followers were last counted, or when something was found. */
  rhythm: text("rhythm"),
  /** When it was last looked at on request. */
  requestedAt: integer("requested_at"),
  /** Failures of its feed in a row, while other feeds answer. */
  feedFailures: integer("feed_failures").notNull().default(0),
  /** Whether something was found in its feed of which the details could not be read: it is looked at again in the next wake. */
  isUnfinished: integer("is_unfinished", { mode: "boolean" }).notNull().default(false),
  /** A look at it has cut a wake off: it is left alone until then. */
  shunnedUntil: integer("shunned_until"),
})

/** The newest items of sources, as objects of followers have read them for themselves, and let others have them. */
export const listings = sqliteTable("listings", {
  sourceId: text("source_id").primaryKey(),
  /** JSON. */
  listing: text("listing").notNull(),
  readAt: integer("read_at").notNull(),
})

/** What WebSub pushes of a source: asked for where the gateway has a public address. */
export const pushes = sqliteTable("pushes", {
  sourceId: text("source_id").primaryKey(),
  askedAt: integer("asked_at").notNull(),
  /** Until when it is promised; `null` while nothing is. */
  leasedUntil: integer("leased_until"),
  /** New items that pushes have told of. */
  told: integer("told").notNull().default(0),
  /** New items that a look has found first, since the last push and while pushes were promised. */
  missed: integer("missed").notNull().default(0),
})

/** Items that were pushed, until the API has described them. */
export const hints = sqliteTable(
  "hints",
  {
    sourceId: text("source_id").notNull(),
    itemId: text("item_id").notNull(),
    publishedAt: integer("published_at").notNull(),
    pushedAt: integer("pushed_at").notNull(),
  },
  ({ sourceId, itemId }) => [primaryKey({ columns: [sourceId, itemId] })],
)
