import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources } from "../following.ts"
import { Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const makeShows = (count: number) => makeSources("spotify", count)

const follower = async (sources: ReadonlyArray<string>, provider: "spotify" | "youtube" = "spotify") => {
  const person = await new Person().follows(...sources)
  await person.connects(provider)
  await person.pollNow()
  await simulator.clearLedger(person.id)
  return person
}

const followedInD1 = async (person: Person) => {
  const { results } = await env.DB.prepare("SELECT external_id AS id FROM user_subscriptions WHERE user_id = ?1")
    .bind(person.id)
    .all<{ readonly id: string }>()
  return new Set(results.map(({ id }) => id))
}

describe("as little as possible is asked", () => {
  it.each([
    [50, 1],
    [120, 3],
  ])(
    "an idle poll of %i shows is %i requests for the library, each with its entity tag, and nothing else",
    async (shows, pages) => {
      const person = await follower(await makeShows(shows))
      await person.pollNow()
      const ledger = await simulator.ledger({ person: person.id })
      expect(ledger.map(({ kind }) => kind)).toEqual(Array.from({ length: pages }, () => "library"))
      expect(ledger.every(({ conditional, status }) => conditional && status === 304)).toBe(true)
    },
  )

  it("only shows whose total has changed are asked for episodes", async () => {
    const shows = await makeShows(30)
    const person = await follower(shows)
    const changed = shows.slice(3, 5)
    for (const show of changed) await simulator.publish(show, 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    const ledger = await simulator.ledger({ person: person.id, kind: "items" })
    expect(ledger).toHaveLength(2)
    expect(changed.every((show) => ledger.some(({ path }) => path.includes(show)))).toBe(true)
  })

  it("videos are described 50 at a time, and only new ones", async () => {
    const channel = await simulator.createSource({ provider: "youtube", items: 30 })
    const person = await follower([channel], "youtube")
    const published = await simulator.publish(channel, 60)
    expect(await person.pollNow()).toMatchObject({ delivered: 60 })
    const details = await simulator.ledger({ person: person.id, kind: "details" })
    const asked = details.map(({ query }) => (query["id"] ?? "").split(","))
    expect(asked.map((ids) => ids.length).sort()).toEqual([10, 50])
    expect(new Set(asked.flat())).toEqual(new Set(published.map(({ id }) => id)))
  })

  it("a show whose total never changes is found by the look once a day, and from then on asked when it is due", async () => {
    const rolling = await simulator.createSource({
      provider: "spotify",
      items: 30,
      rollingWindow: 30,
      publishEveryHours: 24,
    })
    const busy = await simulator.createSource({ provider: "spotify", items: 30, publishEveryHours: 1 })
    const person = await follower([rolling, busy])
    await simulator.publish(rolling, 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    clock.aheadMs = 27 * hour
    await person.connects("spotify")
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    await simulator.publish(rolling, 1)
    // Polls of the library in between must not put the look off.
    const { dueAt } = (await person.subscriptions()).find(({ sourceId }) => sourceId === rolling) ?? { dueAt: 0 }
    await person.pollNow()
    const after = (await person.subscriptions()).find(({ sourceId }) => sourceId === rolling)
    expect(after?.dueAt).toBe(dueAt)
    clock.aheadMs = dueAt - Date.now() + 1000
    await person.connects("spotify")
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
  })
})

it("sources that nobody has to ask are due again within their bounds, spread over a tenth of the interval", async () => {
  const person = await follower(await makeShows(50))
  const drawn = "abs(random() % 1000)"
  await person.sql(
    `UPDATE subscriptions SET due_at = ${drawn}, interval_ms = iif(rowid % 2, ?, ?)`,
    24 * hour,
    hour / 4,
  )
  await person.pollNow()
  // As before anything has been learned of when they publish.
  await person.sql("UPDATE accounts SET look_at = NULL")
  const now = Date.now()
  const waits = (await person.subscriptions()).map(({ dueAt, intervalMs }) => ({ wait: dueAt - now, intervalMs }))
  for (const interval of [24 * hour, hour / 4]) {
    const own = waits.filter(({ intervalMs }) => intervalMs === interval).map(({ wait }) => wait)
    expect(own.length).toBeGreaterThan(10)
    expect(new Set(own).size).toBeGreaterThan(own.length / 2)
    expect(Math.min(...own)).toBeGreaterThanOrEqual(Math.max(hour / 4, interval * 0.9) - 10_000)
    expect(Math.max(...own)).toBeLessThanOrEqual(Math.min(24 * hour, interval * 1.1))
  }
})

it("reading the library puts off every source of which it tells, and writes nothing for that", async () => {
  const person = await follower(await makeShows(6))
  const rows = () => person.sql("SELECT * FROM subscriptions")
  const before = await rows()
  const earliest = Math.min(...(await person.subscriptions()).map(({ dueAt }) => dueAt))
  clock.aheadMs = earliest - Date.now() - hour
  await person.pollNow()
  expect(await rows()).toEqual(before)
  const after = (await person.subscriptions()).map(({ dueAt }) => dueAt)
  expect(Math.min(...after)).toBeGreaterThan(earliest + hour)
  expect(await person.alarmAt()).toBeLessThanOrEqual(Math.min(...after))
})

describe("subscriptions are what the person follows", () => {
  it("added, removed and renamed ones, in the object and in D1", async () => {
    const [kept = "", dropped = ""] = await makeShows(2)
    const person = await follower([kept, dropped])
    expect(await followedInD1(person)).toEqual(new Set([kept, dropped]))
    const [added = ""] = await makeShows(1)
    await simulator.subscribe(person.id, added)
    await simulator.unsubscribe(person.id, dropped)
    await simulator.rename(kept, "Another name")
    await person.pollNow()
    expect(new Set((await person.subscriptions()).map(({ sourceId }) => sourceId))).toEqual(new Set([kept, added]))
    expect(await followedInD1(person)).toEqual(new Set([kept, added]))
    const row = await env.DB.prepare("SELECT title FROM subscriptions WHERE provider = 'spotify' AND external_id = ?1")
      .bind(kept)
      .first()
    expect(row).toEqual({ title: "Another name" })
  })

  it.each(["spotify", "youtube"] as const)(
    "a library of %s that shifts while its pages are read takes no other subscription away",
    async (provider) => {
      const sources = await makeSources(provider, 120)
      const person = await follower(sources, provider)
      // The newest is first in the library: without it, what follows moves up over the border of the page read next.
      const newest = sources.at(-1) ?? ""
      const path = provider === "spotify" ? "offset=50" : "pageToken="
      const gate = await simulator.hold({ person: person.id, kind: "library", path }, { times: 1 })
      const poll = person.pollNow()
      await simulator.waitForHeld(gate)
      await simulator.unsubscribe(person.id, newest)
      await simulator.release(gate)
      await poll
      const others = new Set(sources.slice(0, -1))
      const before = await followedInD1(person)
      expect([...others].filter((source) => !before.has(source))).toEqual([])
      await person.pollNow()
      expect(await followedInD1(person)).toEqual(others)
      expect(new Set((await person.subscriptions()).map(({ sourceId }) => sourceId))).toEqual(others)
      // Nobody had to be followed anew for that.
      expect(await person.sql("SELECT count(DISTINCT followed_at) AS moments FROM subscriptions")).toEqual([
        { moments: 1 },
      ])
    },
  )

  it("whoever unfollows one of many costs one more reading of the pages, and nobody else one", async () => {
    const shows = await makeSources("spotify", 120)
    const person = await follower(shows)
    await simulator.unsubscribe(person.id, shows[60] ?? "")
    await person.pollNow()
    expect(await simulator.counts({ person: person.id })).toMatchObject({
      byKind: { library: 6 },
      byStatus: { 200: 3, 304: 3 },
    })
    await simulator.clearLedger(person.id)
    await person.pollNow()
    expect(await simulator.counts({ person: person.id })).toMatchObject({ total: 3 })
  })

  it.each(["spotify", "youtube"] as const)(
    "%s saying in passing that nothing is followed takes nothing away",
    async (provider) => {
      const sources = await makeSources(provider, 3)
      const person = await follower(sources, provider)
      const body =
        provider === "spotify" ? { items: [], total: 3, next: null } : { items: [], pageInfo: { totalResults: 3 } }
      const match = { person: person.id, kind: "library" } as const
      const faults = await simulator.setFaults([{ match, fault: { type: "status", status: 200, body } }])
      await person.pollNow()
      expect(await followedInD1(person)).toEqual(new Set(sources))
      await simulator.clearFaults(faults)
      await simulator.unsubscribe(person.id, ...sources)
      await person.pollNow()
      // Said with a total of 0, it is believed the second time.
      clock.aheadMs = hour / 4
      await person.pollNow()
      expect(await followedInD1(person)).toEqual(new Set())
    },
  )
})
