import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import { FeedMapping, FollowsMapping, GrantsMapping, type Mapping } from "../../../src/migration/api/mapping.ts"
import { Database } from "../../../src/migration/Database.ts"
import { Tables } from "../../../src/migration/table/Tables.ts"
import { clear, feedOf, followsOf, run } from "../../legacy/people.ts"
import { simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, move } from "../driver.ts"

const withTables = <A, E>(program: (tables: Tables["Service"]) => Effect.Effect<A, E>) =>
  Effect.runPromise(
    Effect.flatMap(Tables, program).pipe(
      Effect.provide(Tables.layer({ DB: env.DB })),
      Effect.provide(Database.layer(env.DB)),
    ),
  )

const shared = { key: "id", timestamps: "seconds", columns: { userId: "who", provider: "service" } } as const

const feed = Schema.decodeUnknownSync(FeedMapping)({
  ...shared,
  ...{ what: "feed", table: "old_feed" },
  columns: { ...shared.columns, itemId: "item", sourceId: "source", publishedAt: "at", title: "name" },
})
const follows = Schema.decodeUnknownSync(FollowsMapping)({
  ...shared,
  ...{ what: "follows", table: "old_follows" },
  columns: { ...shared.columns, sourceId: "source", polledAt: "asked", title: "name", itemCount: "items" },
})
const grants = Schema.decodeUnknownSync(GrantsMapping)({
  ...shared,
  table: "old_grants",
  columns: { ...shared.columns, accessToken: "access", refreshToken: "refresh", expiresAt: "ends" },
})

beforeEach(async () => {
  await clear()
  await env.DB.batch(
    [
      "DELETE FROM feed_items",
      "DELETE FROM subscriptions",
      "DELETE FROM token_migration_status",
      "DELETE FROM migration_runs",
      "DELETE FROM feature_flags",
      "CREATE TABLE old_feed (id INTEGER PRIMARY KEY, who, service, item, source, at, name)",
      "CREATE TABLE old_follows (id INTEGER PRIMARY KEY, who, service, source, asked, name, items)",
      "CREATE TABLE old_grants (id INTEGER PRIMARY KEY, who, service, access, refresh, ends)",
    ].map((statement) => env.DB.prepare(statement)),
  )
})

afterEach(async () => {
  await env.DB.batch(["old_feed", "old_follows", "old_grants"].map((table) => env.DB.prepare(`DROP TABLE ${table}`)))
})

const insert = (table: string, row: Readonly<Record<string, string | number | null>>) =>
  env.DB.prepare(
    `INSERT INTO ${table} (${Object.keys(row).join(", ")}) SELECT ${Object.keys(row)
      .map((name) => `value->>'${name}'`)
      .join(", ")} FROM json_each(?1)`,
  )
    .bind(JSON.stringify([row]))
    .run()

const importAll = async (...mappings: ReadonlyArray<Mapping>) => {
  const pages = []
  for (const mapping of mappings) pages.push(await withTables((tables) => tables.importRows(mapping, {})))
  return pages
}

interface History {
  readonly provider: Provider
  /** Items of the source, of which the old system has delivered the newest so many. */
  readonly items: number
  readonly delivered: number
  readonly count: number | null
}

/** Somebody whose old system has polled a source an hour ago. */
const withHistory = async ({ provider, items, delivered, count }: History) => {
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

const histories: ReadonlyArray<History> = [
  { provider: "spotify", items: 60, delivered: 30, count: 60 },
  { provider: "spotify", items: 60, delivered: 30, count: null },
  { provider: "spotify", items: 60, delivered: 0, count: null },
  { provider: "youtube", items: 60, delivered: 30, count: null },
  { provider: "youtube", items: 60, delivered: 0, count: 60 },
]

describe.each(histories)("what people follow and have got, imported from old tables: %j", (history) => {
  it("brings nobody a backfill by the legacy poller, and everything that comes after", async () => {
    const { ada, source, known } = await withHistory(history)
    await importAll(feed, follows, grants)
    expect((await feedOf(ada.id)).fresh.toSorted()).toEqual(known.toSorted())
    expect(await run({ at: simulator })).toMatchObject({ polled: 1, items: 0, failed: 0 })
    const fresh = (await simulator.publish(source, 2)).map(({ id }) => id)
    expect(await run({ at: simulator })).toMatchObject({ polled: 1, items: 2 })
    const after = await feedOf(ada.id)
    expect({ ...after, fresh: after.fresh.toSorted() }).toEqual({
      fresh: [...known, ...fresh].toSorted(),
      backfill: [],
    })
  })

  it("brings nobody a backfill by their object, and everything that comes after", async () => {
    const { ada, source, known } = await withHistory(history)
    await importAll(feed, follows, grants)
    await aimAt("live", [ada.id])
    await move({ people: [ada.id] })
    expect((await ada.pollNow()).delivered).toBe(0)
    const fresh = (await simulator.publish(source, 2)).map(({ id }) => id)
    await ada.pollNow()
    const after = await feedOf(ada.id)
    expect({ ...after, fresh: after.fresh.toSorted() }).toEqual({
      fresh: [...known, ...fresh].toSorted(),
      backfill: [],
    })
  })
})

describe("an import of what people follow and have got", () => {
  const [history = { provider: "spotify", items: 3, delivered: 3, count: 3 } as const] = histories

  it("changes nothing by repetition, and says what it would do", async () => {
    const { ada, source } = await withHistory(history)
    const dry = await withTables((tables) =>
      Effect.all([tables.importRows(feed, { isDry: true }), tables.importRows(follows, { isDry: true })]),
    )
    expect(dry.map(({ taken }) => taken)).toEqual([30, 1])
    expect(await feedOf(ada.id)).toEqual({ fresh: [], backfill: [] })
    expect((await importAll(feed, follows)).map(({ taken, kept }) => [taken, kept])).toEqual([
      [30, 0],
      [1, 0],
    ])
    const before = await followsOf(ada.id)
    expect(before).toMatchObject([{ id: source, title: "A show", itemCount: 60 }])
    await env.DB.prepare("UPDATE old_follows SET items = 7, name = 'Another'").run()
    expect((await importAll(feed, follows)).map(({ taken, kept }) => [taken, kept])).toEqual([
      [0, 30],
      [0, 1],
    ])
    expect(await followsOf(ada.id)).toEqual(before)
  })

  it("leaves the account of somebody who has moved as it is", async () => {
    const { ada } = await withHistory(history)
    await importAll(grants)
    await ada.switchTo("spotify", "object", 2)
    expect((await importAll(feed, follows)).map(({ taken, kept }) => [taken, kept])).toEqual([
      [0, 30],
      [0, 1],
    ])
    expect([await feedOf(ada.id), await followsOf(ada.id)]).toEqual([{ fresh: [], backfill: [] }, []])
  })

  it("refuses rows that cannot be understood, and warns of what looks odd", async () => {
    const whose = { who: "ada", service: "spotify" }
    await insert("old_follows", { ...whose, source: "", asked: 1_760_000_000, name: "x", items: 1 })
    await insert("old_follows", { ...whose, source: "a", asked: 1_760_000_000, name: "x", items: "many" })
    await insert("old_follows", { ...whose, source: "short", asked: null, name: "x", items: null })
    await insert("old_feed", { ...whose, item: "i", source: "s", at: 1_760_000_000, name: null })
    await insert("old_feed", { ...whose, item: "", source: "s", at: 1_760_000_000, name: "n" })
    await insert("old_feed", { ...whose, item: "i", source: "s", at: "yesterday", name: "n" })
    const [inFollows, inFeed] = await withTables((tables) => Effect.all([tables.check(follows), tables.check(feed)]))
    expect(inFollows.refused.map(({ reason }) => reason)).toEqual(["no_source", "unreadable_count"])
    expect(inFollows.warnings.map(({ column, rows }) => `${column} ${rows}`)).toEqual(["sourceId 1", "polledAt 1"])
    expect(inFollows.examples).toMatchObject([{ sourceId: "short", polledAt: null, title: "x" }])
    expect(inFeed.refused.map(({ reason }) => reason)).toEqual(["no_title", "no_item", "unreadable_time"])
  })

  it("takes one time of the last poll for everybody, where no column has it", async () => {
    const { ada, source } = await withHistory(history)
    const { polledAt: _polledAt, itemCount: _itemCount, ...columns } = follows.columns
    const byTime = Schema.decodeUnknownSync(FollowsMapping)({ ...follows, columns, polledAt: "2026-11-01T12:00:00Z" })
    await importAll(byTime)
    expect(await followsOf(ada.id)).toMatchObject([
      { id: source, polledAt: Date.UTC(2026, 10, 1, 12), itemCount: null },
    ])
    const neither = Schema.decodeUnknownResult(FollowsMapping)({ ...follows, columns })
    expect(neither._tag).toBe("Failure")
  })
})
