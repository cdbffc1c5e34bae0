import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import type { Provider } from "../../../src/domain/provider.ts"
import { FeedMapping, FollowsMapping, GrantsMapping, type Mapping } from "../../../src/migration/api/mapping.ts"
import { Database } from "../../../src/migration/Database.ts"
import { Tables } from "../../../src/migration/table/Tables.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"

export const withTables = <A, E>(program: (tables: Tables["Service"]) => Effect.Effect<A, E>) =>
  Effect.runPromise(
    Effect.flatMap(Tables, program).pipe(
      Effect.provide(Tables.layer({ DB: env.DB })),
      Effect.provide(Database.layer(env.DB)),
    ),
  )

const shared = { key: "id", timestamps: "seconds", columns: { userId: "who", provider: "service" } } as const

export const feed = Schema.decodeUnknownSync(FeedMapping)({
  ...shared,
  ...{ what: "feed", table: "old_feed" },
  columns: { ...shared.columns, itemId: "item", sourceId: "source", publishedAt: "at", title: "name" },
})
export const follows = Schema.decodeUnknownSync(FollowsMapping)({
  ...shared,
  ...{ what: "follows", table: "old_follows" },
  columns: { ...shared.columns, sourceId: "source", polledAt: "asked", title: "name", itemCount: "items" },
})
export const grants = Schema.decodeUnknownSync(GrantsMapping)({
  ...shared,
  table: "old_grants",
  columns: { ...shared.columns, accessToken: "access", refreshToken: "refresh", expiresAt: "ends" },
})

const tables = ["old_feed", "old_follows", "old_grants"]

const run = (statements: ReadonlyArray<string>) => env.DB.batch(statements.map((one) => env.DB.prepare(one)))

/** Makes the old tables, and empties those of pollen. */
export const makeTables = () =>
  run([
    ...["users", "user_accounts", "user_subscriptions", "user_feed_items", "feed_items", "subscriptions"].map(
      (table) => `DELETE FROM ${table}`,
    ),
    ...["token_migration_status", "migration_runs", "feature_flags"].map((table) => `DELETE FROM ${table}`),
    "CREATE TABLE old_feed (id INTEGER PRIMARY KEY, who, service, item, source, at, name)",
    "CREATE TABLE old_follows (id INTEGER PRIMARY KEY, who, service, source, asked, name, items)",
    "CREATE TABLE old_grants (id INTEGER PRIMARY KEY, who, service, access, refresh, ends)",
  ])

export const dropTables = () => run(tables.map((table) => `DROP TABLE ${table}`))

/** The ids in somebody's feed, sorted, each with `backfill` where it is one. */
export const feedOf = async (userId: string) => {
  const { results } = await env.DB.prepare(
    "SELECT external_id || iif(is_backfill, ' backfill', '') AS item FROM user_feed_items WHERE user_id = ?1",
  )
    .bind(userId)
    .all<{ readonly item: string }>()
  return results.map(({ item }) => item).toSorted()
}

/** What somebody follows, as D1 has it. */
export const followsOf = async (userId: string) => {
  const { results } = await env.DB.prepare(
    `SELECT follow.external_id AS id, title, polled_at AS polledAt, item_count AS itemCount
     FROM user_subscriptions follow LEFT JOIN subscriptions source USING (provider, external_id) WHERE user_id = ?1`,
  )
    .bind(userId)
    .all()
  return results
}

export const insert = (table: string, row: Readonly<Record<string, string | number | null>>) =>
  env.DB.prepare(
    `INSERT INTO ${table} (${Object.keys(row).join(", ")}) SELECT ${Object.keys(row)
      .map((name) => `value->>'${name}'`)
      .join(", ")} FROM json_each(?1)`,
  )
    .bind(JSON.stringify([row]))
    .run()

export const importAll = async (...mappings: ReadonlyArray<Mapping>) => {
  const pages = []
  for (const mapping of mappings) pages.push(await withTables((tables) => tables.importRows(mapping, {})))
  return pages
}

export interface History {
  readonly provider: Provider
  /** Items of the source, of which the old system has delivered the newest so many. */
  readonly items: number
  readonly delivered: number
  readonly count: number | null
}

/** Somebody whose old system has polled a source an hour ago. */
export const withHistory = async ({ provider, items, delivered, count }: History) => {
  const ada = new PersonInMove()
  const source = await simulator.createSource({ provider })
  // Where no item is known, dates decide, and two days before the last poll are in doubt.
  await simulator.publish(
    source,
    Array.from({ length: items }, (_, index) => ({ publishedAt: Date.now() - (items - index + 3) * 86_400_000 })),
  )
  await ada.follows(source)
  const { accessToken, refreshToken, expiresAt } = await simulator.grant(ada.id, provider)
  const whose = { who: ada.id, service: provider }
  const ends = Math.floor(expiresAt / 1000)
  await insert("old_grants", { ...whose, access: accessToken, refresh: refreshToken, ends })
  const asked = Math.floor(Date.now() / 1000) - 3600
  await insert("old_follows", { ...whose, source, asked, name: "A show", items: count })
  const listed = (await simulator.items(source)).toSorted((one, other) => other.publishedAt - one.publishedAt)
  for (const { id, publishedAt, title } of listed.slice(0, delivered)) {
    await insert("old_feed", { ...whose, item: id, source, at: Math.floor(publishedAt / 1000) + 7 * 3600, name: title })
  }
  return { ada, source, known: listed.slice(0, delivered).map(({ id }) => id) }
}

export const histories: ReadonlyArray<History> = [
  { provider: "spotify", items: 60, delivered: 30, count: 60 },
  { provider: "spotify", items: 60, delivered: 30, count: null },
  { provider: "spotify", items: 60, delivered: 0, count: null },
  { provider: "youtube", items: 60, delivered: 30, count: null },
  { provider: "youtube", items: 60, delivered: 0, count: 60 },
]
