import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../worker.ts"
import { Person, simulator } from "./person.ts"

const hour = 3_600_000

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const makeShows = (count: number) =>
  simulator.createSources(Array.from({ length: count }, () => ({ provider: "spotify" as const, items: 1 })))

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

  it("a library that shifts while its pages are read takes no other subscription away", async () => {
    const shows = await makeShows(120)
    const person = await follower(shows)
    // The newest is first in the library: without it, what follows moves up over the border of the page read next.
    const newest = shows.at(-1) ?? ""
    const gate = await simulator.hold({ person: person.id, path: "offset=50" })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    await simulator.unsubscribe(person.id, newest)
    await simulator.release(gate)
    await poll
    const others = shows.slice(0, -1)
    const before = await followedInD1(person)
    expect(others.filter((show) => !before.has(show))).toEqual([])
    await person.pollNow()
    expect(await followedInD1(person)).toEqual(new Set(others))
  })
})
