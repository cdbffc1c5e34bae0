import { Effect, Schedule } from "effect"
import { askDatabase } from "../domain/database.ts"
import { isDeliverable, toItem } from "../domain/item.ts"
import { jsonTexts } from "../domain/jsonTexts.ts"
import type { Provider } from "../domain/provider.ts"
import type { Source } from "../domain/subscription.ts"
import { followRow, itemRow, sourceRow, unfollowRow } from "../feed/rows.ts"
import { feedStatements, insertItems, upsertSources } from "../feed/statements.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import type { Cursor } from "./cursor.ts"
import type { Finding } from "./sources.ts"

// What a batch writes to D1, with as many statements as the items need, and not the people. All of it may be written twice, and nothing
// is written for an account that D1 has given away since it was read.

// CROSS JOIN: from the rows of the parameter to the table, by its key.
const { insertFeed, upsertFollows, deleteFollows } = feedStatements({
  userId: "account.user_id",
  rows: `json_each(?1) CROSS JOIN user_accounts account ON account.user_id = value->>'userId'
    AND account.provider = value->>'provider' AND account.holder = 'database' AND account.is_active`,
})

/** A source that somebody has begun to follow, or no longer follows. */
export interface Followed {
  readonly account: AccountKey
  readonly sourceId: string
}

/** What polling a batch of accounts found. */
export interface BatchOutcome {
  readonly findings: ReadonlyArray<Finding>
  /** New or renamed. */
  readonly sources: ReadonlyArray<Source>
  readonly added: ReadonlyArray<Followed>
  readonly removed: ReadonlyArray<Followed>
}

const ofAccount = <Row extends object>({ userId }: AccountKey, row: Row) => ({ userId, ...row })

/** Makes the statements that write an outcome, in the order in which they must run. */
const statements = (database: D1Database, provider: Provider, now: number, outcome: BatchOutcome) => {
  const items = new Map<string, object>()
  const feed: Array<object> = []
  const follows = new Map<string, object>()
  const follow = (account: AccountKey, sourceId: string, cursor?: Cursor) =>
    follows.set(
      `${keyOf(account)} ${sourceId}`,
      ofAccount(account, { ...followRow(provider, sourceId, now), ...cursor }),
    )
  for (const { account, sourceId } of outcome.added) follow(account, sourceId)
  for (const { ask, fresh, isFirst, cursor } of outcome.findings) {
    // Oldest first, in the order of publication.
    for (const item of fresh.filter(isDeliverable).toReversed()) {
      const row = itemRow(toItem(item), { isBackfill: isFirst, at: now })
      items.set(item.itemId, row)
      // The item itself is written once, however many people get it.
      const { externalId, isBackfill, at } = row
      feed.push(ofAccount(ask.account, { provider, externalId, isBackfill, at }))
    }
    follow(ask.account, ask.source.sourceId, cursor)
  }
  const sources = new Map(
    outcome.sources.map((source) => [source.sourceId, sourceRow(provider, source.sourceId, source, now)]),
  )
  const removed = outcome.removed.map(({ account, sourceId }) => ofAccount(account, unfollowRow(provider, sourceId)))
  const each = (sql: string, rows: Iterable<object>) =>
    jsonTexts([...rows]).map((parameter) => database.prepare(sql).bind(parameter))
  return {
    items: feed.length,
    prepared: [
      ...each(insertItems, items.values()),
      ...each(insertFeed, feed),
      ...each(upsertSources, sources.values()),
      // Last of what is written, so that a cursor never runs ahead of its items.
      ...each(upsertFollows, follows.values()),
      ...each(deleteFollows, removed),
    ],
  }
}

/** Retries what passes within seconds. */
const retries = Schedule.exponential("200 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 3 }))

/** Writes what a batch found, in one transaction. Returns how many items went to people's feeds. */
export const writeOutcome = Effect.fn("legacy.writeOutcome")(function* (
  database: D1Database,
  provider: Provider,
  now: number,
  outcome: BatchOutcome,
) {
  const { items, prepared } = statements(database, provider, now, outcome)
  if (prepared.length > 0) {
    yield* askDatabase("a batch of polls", () => database.batch(prepared)).pipe(Effect.retry(retries))
  }
  return items
})
