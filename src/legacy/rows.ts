import { Clock, Effect, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import { jsonTexts } from "../domain/jsonTexts.ts"
import type { Provider } from "../domain/provider.ts"
import { SourceDetails } from "../domain/subscription.ts"
import { detailColumns, joinDetails } from "../feed/details.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import { mayPoll } from "../move/claim.ts"

// What the legacy poller reads in D1, one statement a batch. SQLite takes CROSS JOIN for the order in which to join: from the rows of
// the parameter to the tables, by their keys. Left to itself it would read whole tables.

const rows = <A>(operation: string, statement: D1PreparedStatement, schema: Schema.Codec<A, unknown>) =>
  askDatabase(operation, () => statement.all()).pipe(
    Effect.flatMap(({ results }) => Effect.orDie(Schema.decodeUnknownEffect(Schema.Array(schema))(results))),
  )

const Person = Schema.Struct({ userId: Schema.String })

const nextPage = `SELECT user_id AS userId FROM user_accounts
  WHERE holder = 'database' AND user_id > ?1 AND provider = ?2 AND is_active AND ${mayPoll("?5")}
    AND (?4 IS NULL OR user_id <= ?4)
  ORDER BY user_id LIMIT ?3`

/** Reads the accounts that D1 holds, by user id, from after one person up to another (`null`: to the end). */
export const readAccountsToPoll = (
  database: D1Database,
  provider: Provider,
  { after, upTo }: { readonly after: string; readonly upTo: string | null },
  batchSize: number,
) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    rows("accounts to poll", database.prepare(nextPage).bind(after, provider, batchSize, upTo, now), Person),
  ).pipe(Effect.map((found): ReadonlyArray<AccountKey> => found.map(({ userId }) => ({ userId, provider }))))

const stillToPoll = `SELECT account.user_id AS userId FROM json_each(?1) person
  CROSS JOIN user_accounts account ON account.user_id = person.value AND account.provider = ?2
  WHERE holder = 'database' AND is_active AND ${mayPoll("?3")}`

/** Reads which of these people have an account that D1 holds. */
export const readStillToPoll = (database: D1Database, provider: Provider, userIds: ReadonlyArray<string>) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    rows("accounts still to poll", database.prepare(stillToPoll).bind(JSON.stringify(userIds), provider, now), Person),
  ).pipe(Effect.map((found): ReadonlySet<string> => new Set(found.map(({ userId }) => userId))))

/** A source that somebody is known to follow, with the legacy poller's cursor. */
const Follow = Schema.Struct({
  userId: Schema.String,
  sourceId: Schema.String,
  ...SourceDetails.fields,
  polledAt: Schema.NullOr(Schema.Int),
  itemCount: Schema.NullOr(Schema.Int),
})
export type Follow = typeof Follow.Type

const follows = `SELECT follow.user_id AS userId, follow.external_id AS sourceId, ${detailColumns},
    polled_at AS polledAt, item_count AS itemCount
  FROM json_each(?1) person
  CROSS JOIN user_subscriptions follow ON follow.user_id = person.value AND follow.provider = ?2
  ${joinDetails}`

/** Reads what the people of a batch are known to follow: by {@link keyOf}, then by the source's id. */
export const readFollows = Effect.fnUntraced(function* (
  database: D1Database,
  provider: Provider,
  accounts: ReadonlyArray<AccountKey>,
) {
  const people = JSON.stringify(accounts.map(({ userId }) => userId))
  const found = yield* rows("follows", database.prepare(follows).bind(people, provider), Follow)
  const byAccount = new Map(accounts.map((account) => [keyOf(account), new Map<string, Follow>()]))
  for (const follow of found) byAccount.get(keyOf({ userId: follow.userId, provider }))?.set(follow.sourceId, follow)
  return byAccount
})

/** Items to look for in somebody's feed. */
export interface Wanted {
  readonly userId: string
  readonly ids: ReadonlyArray<string>
}

const known = `SELECT wanted.value->>'userId' AS userId, item.external_id AS id
  FROM json_each(?1) wanted CROSS JOIN json_each(wanted.value, '$.ids') one
  CROSS JOIN feed_items item ON item.provider = ?2 AND item.external_id = one.value
  CROSS JOIN user_feed_items feed ON feed.user_id = wanted.value->>'userId' AND feed.published_at = item.published_at
    AND feed.provider = item.provider AND feed.external_id = item.external_id`

/** Reads which of the wanted items are in each person's feed: their ids, by user id. */
export const readKnown = Effect.fnUntraced(function* (
  database: D1Database,
  provider: Provider,
  wanted: ReadonlyArray<Wanted>,
) {
  const KnownItem = Schema.Struct({ userId: Schema.String, id: Schema.String })
  const found = yield* Effect.forEach(jsonTexts(wanted), (parameter) =>
    rows("known items", database.prepare(known).bind(parameter, provider), KnownItem),
  )
  const byPerson = new Map<string, Set<string>>()
  for (const { userId, id } of found.flat()) {
    const ids = byPerson.get(userId) ?? new Set()
    byPerson.set(userId, ids.add(id))
  }
  return byPerson
})
