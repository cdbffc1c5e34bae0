import { env } from "cloudflare:workers"
import { Effect, Schema } from "effect"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { FollowsMapping } from "../../../src/migration/api/mapping.ts"
import { simulator } from "../../object/person.ts"
import { aimAt, move } from "../driver.ts"
import {
  dropTables,
  feed,
  feedOf,
  follows,
  followsOf,
  grants,
  histories,
  importAll,
  insert,
  makeTables,
  withHistory,
  withTables,
} from "./oldTables.ts"

beforeEach(makeTables)
afterEach(dropTables)

describe.each(histories)("what people follow and have got, imported from old tables: %j", (history) => {
  it("brings nobody a backfill by their object, and everything that comes after", async () => {
    const { ada, source, known } = await withHistory(history)
    await importAll(feed, follows, grants)
    await aimAt("live", [ada.id])
    await move({ people: [ada.id] })
    expect((await ada.pollNow()).delivered).toBe(0)
    const fresh = (await simulator.publish(source, 2)).map(({ id }) => id)
    await ada.pollNow()
    expect(await feedOf(ada.id)).toEqual([...known, ...fresh].toSorted())
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
    expect(await feedOf(ada.id)).toEqual([])
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
    expect([await feedOf(ada.id), await followsOf(ada.id)]).toEqual([[], []])
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

  it("refuses a time to come: what was published before it would count as known", async () => {
    const { ada } = await withHistory(history)
    const soon = Math.floor(Date.now() / 1000) + 3600
    await env.DB.batch([
      env.DB.prepare("UPDATE old_follows SET asked = ?1, items = 0").bind(soon),
      env.DB.prepare("UPDATE old_feed SET at = ?1").bind(soon + 48 * 3600),
    ])
    const refused = (await importAll(feed, follows)).flatMap((page) => page.refused.map(({ reason }) => reason))
    expect(new Set(refused)).toEqual(new Set(["unreadable_time"]))
    expect([await feedOf(ada.id), await followsOf(ada.id)]).toEqual([[], []])
    await env.DB.prepare("UPDATE old_follows SET asked = ?1")
      .bind(soon - 7200)
      .run()
    const { warnings } = await withTables((tables) => tables.check(follows))
    expect(warnings).toMatchObject([{ column: "itemCount", rows: 1 }])
    expect(Schema.decodeUnknownResult(FollowsMapping)({ ...follows, polledAt: "yesterday" })._tag).toBe("Failure")
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
