import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources, minute, publishInEach, settled } from "../following.ts"
import { d1Outage, lostAnswers, watchD1 } from "../outage.ts"
import { type Person, simulator } from "../person.ts"

afterEach(() => {
  clock.aheadMs = 0
  vi.restoreAllMocks()
})

const expectWhole = async (person: Person, published: ReadonlyArray<string>) => {
  const delivered = await person.newIds()
  expect(delivered).toHaveLength(published.length)
  expect(new Set(delivered)).toEqual(new Set(published))
  expect(await person.status()).toMatchObject({ undelivered: 0, deliveryFailure: null })
}

const followed = async (person: Person) => {
  const rows = env.DB.prepare("SELECT external_id AS id FROM user_subscriptions WHERE user_id = ?1").bind(person.id)
  return new Set((await rows.all<{ readonly id: string }>()).results.map(({ id }) => id))
}

describe("While D1 is down", () => {
  it("three polls lose nothing and double nothing, evictions in between included", async () => {
    const shows = await makeSources("spotify", 4)
    const channels = await makeSources("youtube", 4)
    const sources = [...shows, ...channels]
    const person = await settled(sources, "spotify", "youtube")
    const published: Array<string> = []
    {
      await using _ = await d1Outage()
      for (let round = 1; round <= 3; round += 1) {
        published.push(...(await publishInEach(sources)))
        expect(await person.pollNow()).toMatchObject({ delivered: 0, undelivered: published.length })
        expect(await person.status()).toMatchObject({ deliveryFailure: expect.stringContaining("no such table") })
        await evictDurableObject(person.stub)
      }
    }
    expect(await person.newIds()).toEqual([])
    clock.aheadMs = 15 * minute
    await person.alarm()
    await expectWhole(person, published)
    expect(await person.pollNow()).toMatchObject({ delivered: 0, undelivered: 0 })
    await expectWhole(person, published)
  })

  it("what is followed, renamed and no longer followed arrives later, as it is then", async () => {
    const [kept = "", dropped = "", back = ""] = await makeSources("spotify", 3)
    const person = await settled([kept, dropped, back], "spotify")
    const [added = ""] = await makeSources("spotify", 1)
    {
      await using _ = await d1Outage()
      await simulator.unsubscribe(person.id, dropped, back)
      await person.pollNow()
      await simulator.subscribe(person.id, added, back)
      await simulator.rename(kept, "For a while")
      await person.pollNow()
      await simulator.rename(kept, "In the end")
      await person.pollNow()
      expect(await person.status()).toMatchObject({ deliveryFailure: expect.stringContaining("no such table") })
    }
    await person.pollNow()
    expect(await followed(person)).toEqual(new Set([kept, added, back]))
    const title = env.DB.prepare("SELECT title FROM subscriptions WHERE external_id = ?1").bind(kept)
    expect(await title.first()).toEqual({ title: "In the end" })
  })

  it("the alarm tries again by itself, less and less often, at most every 15 minutes", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await person.sql("UPDATE accounts SET held_until = ?", Date.now() + 48 * hour)
    await person.sql("UPDATE person SET is_report_due = 1")
    await using _ = await d1Outage()
    await person.refreshTokens()
    const waits: Array<number> = []
    for (let round = 0; round < 8; round += 1) {
      const now = Date.now() + clock.aheadMs
      await person.alarm()
      waits.push(((await person.alarmAt()) ?? 0) - now)
      clock.aheadMs += waits.at(-1) ?? 0
    }
    expect(waits[0]).toBeLessThanOrEqual(31_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15 * minute + 1000)
    expect(waits.at(-1)).toBeGreaterThan(7 * minute)
  })
})

describe("A batch that D1 took and never answered", () => {
  it("is sent again, and changes nothing", async () => {
    const [show = "", dropped = ""] = await makeSources("spotify", 2)
    const person = await settled([show, dropped], "spotify")
    const published = (await simulator.publish(show, 250)).map(({ id }) => id)
    const [added = ""] = await makeSources("spotify", 1)
    await simulator.unsubscribe(person.id, dropped)
    await simulator.subscribe(person.id, added)
    {
      using _ = lostAnswers(2)
      expect(await person.pollNow()).toMatchObject({ delivered: 0 })
      expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    }
    const before = await person.feed()
    expect(before.length).toBeGreaterThan(100)
    await person.pollNow()
    await expectWhole(person, published)
    expect(await followed(person)).toEqual(new Set([show, added]))
  })

  it("is sent again by an object that was evicted since", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    const published = (await simulator.publish(show, 3)).map(({ id }) => id)
    {
      using _ = lostAnswers(1)
      await person.pollNow()
    }
    await evictDurableObject(person.stub)
    clock.aheadMs = minute
    await person.alarm()
    await expectWhole(person, published)
  })
})

describe("What two people follow", () => {
  it("reaches each of them once, and is stored once", async () => {
    const [show = ""] = await makeSources("spotify", 1, 3)
    const people = await Promise.all(Array.from({ length: 5 }, () => settled([show], "spotify")))
    const published = (await simulator.publish(show, 10)).map(({ id }) => id)
    await Promise.all(people.map((person) => person.pollNow()))
    for (const person of people) {
      await expectWhole(person, published)
      expect(await person.feed()).toHaveLength(13)
    }
    const stored = env.DB.prepare("SELECT count(*) AS items FROM feed_items WHERE source_id = ?1").bind(show)
    expect(await stored.first()).toEqual({ items: 13 })
  })
})

describe("A delivery", () => {
  it("is no query at all where a poll found nothing, by a person or by the alarm", async () => {
    const shows = await makeSources("spotify", 60)
    const channels = await makeSources("youtube", 60)
    const person = await settled([...shows, ...channels], "spotify", "youtube")
    await expect.poll(async () => ((await person.alarmAt()) ?? 0) > Date.now()).toBe(true)
    using d1 = watchD1()
    await person.pollNow()
    clock.aheadMs = 5 * hour
    await person.becomesDue()
    expect(await person.alarm()).toBe(true)
    expect((await person.status()).polls.slice(0, 2)).toMatchObject([{ outcome: "polled" }, { outcome: "polled" }])
    expect(d1.queries()).toBe(0)
  })

  it.each([
    ["in whatever script people write", "漢字仮名交じり文".repeat(250)],
    ["in whatever JSON makes of it", "\u0001".repeat(2000)],
  ])("fits D1's limits and those of the object's own database %s", async (_how, title) => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    const published = await simulator.publish(
      show,
      Array.from({ length: 300 }, () => ({ title })),
    )
    const bound: Array<number> = []
    const measure = (values: ReadonlyArray<unknown>) =>
      bound.push(...values.map((value) => (typeof value === "string" ? Buffer.byteLength(value) : 0)))
    await runInDurableObject(person.stub, (_instance, { storage }) => {
      const exec = storage.sql.exec.bind(storage.sql)
      vi.spyOn(storage.sql, "exec").mockImplementation((query, ...values) => {
        measure(values)
        return exec(query, ...values)
      })
    })
    const prepare = env.DB.prepare.bind(env.DB)
    vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
      const statement = prepare(sql)
      const bind = statement.bind.bind(statement)
      statement.bind = (...values: Array<unknown>) => {
        measure(values)
        return bind(...values)
      }
      return statement
    })
    expect(await person.pollNow()).toMatchObject({ delivered: published.length, undelivered: 0 })
    expect(Math.max(...bound)).toBeLessThan(2_000_000)
    expect(Math.max(...bound)).toBeGreaterThan(400_000)
  })

  it("keeps titles and descriptions whole, whatever is in them", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    const titles = [`${"x".repeat(499)}😀`, "half \ud83d of one", 'quote " and \\ and \u0000 and \n', "😀".repeat(1200)]
    await simulator.publish(
      show,
      titles.map((title) => ({ title })),
    )
    await person.pollNow()
    const { results } = await env.DB.prepare(
      "SELECT title, description FROM feed_items WHERE source_id = ?1 AND title NOT LIKE '%archive%'",
    )
      .bind(show)
      .all<{ readonly title: string; readonly description: string }>()
    expect(new Set(results.map(({ title }) => title))).toEqual(
      new Set(["x".repeat(499), "half \ufffd of one", titles[2], "😀".repeat(250)]),
    )
    expect(results.every(({ description }) => !description.includes("\ufffd") || description.startsWith("half"))).toBe(
      true,
    )
  })
})

describe("Rows that an earlier version left in the outbox", () => {
  /** As `outbox` had them before items and sources were told apart by `itemId` and `sourceId` in the code. */
  const rows = (show: string, dropped: string, item: string) =>
    [
      ["source", { provider: "spotify", externalId: show, title: "As it was", url: "u", imageUrl: null, at: 9e12 }],
      ["follow", { provider: "spotify", externalId: show, at: 1 }],
      ["unfollow", { provider: "spotify", externalId: dropped }],
      [
        "item",
        {
          ...{ provider: "spotify", externalId: item, sourceId: show, kind: "episode", title: "An episode" },
          ...{ description: "", url: "u", imageUrl: null, publishedAt: 1000, precision: "day", durationMs: 1000 },
          ...{ isLive: false, isBackfill: false, at: 2 },
        },
      ],
    ] as const

  it("are delivered by this one", async () => {
    const [kept = "", dropped = ""] = await makeSources("spotify", 2)
    const person = await settled([kept, dropped], "spotify")
    const [show, item] = [`show-${person.id}`, `episode-${person.id}`]
    for (const [kind, body] of rows(show, dropped, item)) {
      await person.sql("INSERT INTO outbox (kind, body) VALUES (?, ?)", kind, JSON.stringify(body))
    }
    await person.wake()
    expect(await person.status()).toMatchObject({ undelivered: 0, deliveryFailure: null })
    expect(await person.newIds()).toEqual([item])
    expect(await followed(person)).toEqual(new Set([kept, show]))
    const sources = env.DB.prepare(
      `SELECT source.title FROM feed_items item
       JOIN subscriptions source ON source.external_id = item.source_id WHERE item.external_id = ?1`,
    )
    expect(await sources.bind(item).first("title")).toBe("As it was")
  })

  it("have the shape of those that this one writes, so that a rollback delivers them too", async () => {
    const [kept = "", dropped = ""] = await makeSources("spotify", 2)
    const person = await settled([kept, dropped], "spotify")
    const [added = ""] = await makeSources("spotify", 1)
    await using _ = await d1Outage()
    await simulator.unsubscribe(person.id, dropped)
    await simulator.subscribe(person.id, added)
    await person.pollNow()
    const written = await person.sql("SELECT kind, body FROM outbox")
    for (const [kind, body] of rows(added, dropped, "")) {
      const row = written.find((one) => one["kind"] === kind)
      expect(Object.keys(JSON.parse(String(row?.["body"]))).sort()).toEqual(Object.keys(body).sort())
    }
  })
})
