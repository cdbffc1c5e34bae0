import { afterEach, describe, expect, it } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { hour, settled } from "../following.ts"
import { Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const both: ReadonlyArray<Provider> = ["spotify", "youtube"]

const followed = async (provider: Provider, items: number, options: { readonly rollingWindow?: number } = {}) => {
  const source = await simulator.createSource({ provider, items, ...options })
  return { source, person: await settled([source], provider) }
}

const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)

const expectOnce = async (person: Person, published: ReadonlyArray<string>) => {
  const delivered = await person.newIds()
  expect(delivered).toHaveLength(published.length)
  expect(new Set(delivered)).toEqual(new Set(published))
}

/** Polls, and lets something happen while the second page of items is on its way. */
const pollWhile = async (person: Person, provider: Provider, what: () => Promise<unknown>) => {
  const path = provider === "spotify" ? "offset=50" : "pageToken="
  const gate = await simulator.hold({ person: person.id, kind: "items", path }, { times: 1 })
  const poll = person.pollNow()
  await simulator.waitForHeld(gate)
  await what()
  await simulator.release(gate)
  return poll
}

const pages = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "items" })).length

describe.each(both)("A source of %s", (provider) => {
  it("that published 500 items since the last poll loses none, and delivers each once", async () => {
    const { source, person } = await followed(provider, 60)
    const published = ids(await simulator.publish(source, 500))
    expect(await person.pollNow()).toMatchObject({ delivered: 500, undelivered: 0 })
    await expectOnce(person, published)
    // It keeps in mind no more than it needs.
    const [kept] = await person.sql("SELECT count(*) AS items FROM items")
    expect(kept?.["items"]).toBeLessThanOrEqual(400)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    const more = ids(await simulator.publish(source, 2))
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    await expectOnce(person, [...published, ...more])
  })

  it("loses nothing of a backlog where a page fails half-way", async () => {
    const { source, person } = await followed(provider, 60)
    const published = ids(await simulator.publish(source, 220))
    const path = provider === "spotify" ? "offset=150" : "pageToken="
    await simulator.setFaults([{ match: { person: person.id, path }, fault: { type: "reset" }, times: 3 }])
    expect(await person.pollNow()).toMatchObject({ delivered: 0, accounts: [{ failed: 1 }] })
    expect((await person.status()).failing).toMatchObject([{ sourceId: source, reason: "no answer" }])
    expect(await person.pollNow()).toMatchObject({ delivered: 220 })
    await expectOnce(person, published)
  })

  it("loses and doubles nothing where items are put on top while its pages are read", async () => {
    const { source, person } = await followed(provider, 60)
    const published = ids(await simulator.publish(source, 120))
    await pollWhile(person, provider, async () => published.push(...ids(await simulator.publish(source, 7))))
    await expectOnce(person, published.slice(0, 120))
    await person.pollNow()
    await expectOnce(person, published)
  })

  it("loses nothing where items are taken away while its pages are read", async () => {
    const { source, person } = await followed(provider, 60)
    const published = ids(await simulator.publish(source, 170))
    // The newest three: everything moves up, over the border of the page that is read next.
    const removed = published.slice(-3)
    await pollWhile(person, provider, () => Promise.all(removed.map((id) => simulator.removeItem(id))))
    const missing = new Set(published.slice(0, -3))
    for (const id of await person.newIds()) missing.delete(id)
    expect(missing).toEqual(new Set())
  })

  it("is not delivered again where items disappear and come back", async () => {
    const { source, person } = await followed(provider, 120)
    const published = ids(await simulator.publish(source, 30))
    await person.pollNow()
    // Two pages' worth disappear: what the first poll left out comes up, and is not new.
    for (const id of published) await simulator.removeItem(id)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    const more = ids(await simulator.publish(source, 3))
    await person.pollNow()
    await expectOnce(person, [...published, ...more])
  })

  it("keeps its archive to itself when everything that was known is removed", async () => {
    const { source, person } = await followed(provider, 200)
    for (const { id } of (await simulator.items(source)).slice(0, 60)) await simulator.removeItem(id)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    const published = ids(await simulator.publish(source, 3))
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    await expectOnce(person, published)
  })

  it("whose items come with old dates is read to the end of them, and delivers them once", async () => {
    const { source, person } = await followed(provider, 60)
    const old = Array.from({ length: 130 }, (_, at) => ({ publishedAt: Date.UTC(2011, 0, 1) + at * hour }))
    const published = ids(await simulator.publish(source, old))
    expect(await person.pollNow()).toMatchObject({ delivered: 130 })
    await expectOnce(person, published)
  })

  it("remembers an item with an old date among more new ones than it keeps in mind", async () => {
    const { source, person } = await followed(provider, 60)
    await simulator.publish(source, 230)
    await person.pollNow()
    await simulator.publish(source, [{ publishedAt: Date.UTC(2011, 0, 1) }])
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    await simulator.publish(source, 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
  })

  it("remembers an item with a date to come, when all that came after it is removed", async () => {
    const { source, person } = await followed(provider, 60)
    await simulator.publish(source, [{ publishedAt: Date.UTC(2099, 0, 1) }])
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    const after = ids(await simulator.publish(source, 230))
    expect(await person.pollNow()).toMatchObject({ delivered: 230 })
    for (const id of after) await simulator.removeItem(id)
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
  })

  it("delivers its newest 20 as backfill and no more, and nothing of its archive as new", async () => {
    const { source, person } = await followed(provider, 300)
    const feed = await person.feed()
    expect(new Set(ids(feed))).toEqual(new Set(ids((await simulator.items(source)).slice(0, 20))))
    expect(feed.every(({ isBackfill }) => isBackfill === 1)).toBe(true)
    // What lies below the backfill comes up, an item with a strange date among it.
    await simulator.publish(source, [{ publishedAt: Date.UTC(2001, 0, 1) }])
    await person.pollNow()
    for (const { id } of (await simulator.items(source)).slice(0, 40)) await simulator.removeItem(id)
    await person.pollNow()
    expect(await person.newIds()).toHaveLength(1)
  })

  it("starts anew for somebody who unfollowed it and comes back, without a second copy of anything", async () => {
    const { source, person } = await followed(provider, 30)
    const published = ids(await simulator.publish(source, 2))
    await person.pollNow()
    await simulator.unsubscribe(person.id, source)
    await person.pollNow()
    await simulator.clearLedger(person.id)
    await simulator.publish(source, 1)
    await person.pollNow()
    clock.aheadMs = 25 * hour
    await person.alarm()
    // Nobody asks for it any more.
    expect(await simulator.counts({ person: person.id, kind: "items" })).toMatchObject({ total: 0 })
    await simulator.subscribe(person.id, source)
    await person.pollNow()
    const feed = ids(await person.feed())
    expect(new Set(feed).size).toBe(feed.length)
    expect(feed).toHaveLength(23)
    await expectOnce(person, published)
  })
})

describe("A count that cannot be relied on", () => {
  /** YouTube's figure as it stood, whatever is published: the library does not move. */
  const frozenLibrary = async (person: Person, source: string, totalItemCount: number) => {
    const body = {
      etag: `frozen-${totalItemCount}`,
      pageInfo: { totalResults: 1, resultsPerPage: 50 },
      items: [
        {
          snippet: { title: "A channel", resourceId: { channelId: source } },
          contentDetails: { totalItemCount, newItemCount: 0 },
        },
      ],
    }
    return simulator.setFaults([
      { match: { person: person.id, kind: "library" }, fault: { type: "status", status: 200, body } },
    ])
  }

  it("and says too little does not cut a backlog short", async () => {
    const { source, person } = await followed("youtube", 60)
    const [premiere] = await simulator.publish(source, [
      { kind: "upcoming", scheduledStart: (await simulator.now()) + 100 * hour },
    ])
    await person.pollNow()
    expect(premiere).toBeDefined()
    const published = ids(await simulator.publish(source, 140))
    await frozenLibrary(person, source, 70)
    await person.pollNow()
    await expectOnce(person, published)
  })

  it("and says too much costs no more than the page that brings something", async () => {
    const { source, person } = await followed("youtube", 200)
    const published = ids(await simulator.publish(source, 3))
    await frozenLibrary(person, source, 900)
    await person.pollNow()
    await expectOnce(person, published)
    expect(await pages(person)).toBe(1)
  })

  it("and never changes is made up for by a look a day", async () => {
    const { source, person } = await followed("youtube", 60)
    await frozenLibrary(person, source, 60)
    await person.pollNow()
    const published = ids(await simulator.publish(source, 60))
    clock.aheadMs = 28 * hour
    await person.alarm()
    await expectOnce(person, published)
  })
})

describe("Whose first page holds nothing to deliver", () => {
  it("is read on by the first poll until there are 20, and floods nobody later", async () => {
    const source = await simulator.createSource({ provider: "youtube", items: 200 })
    await simulator.publish(
      source,
      Array.from({ length: 60 }, () => ({ kind: "private" as const })),
    )
    const person = await new Person().follows(source)
    await person.connects("youtube")
    expect(await person.pollNow()).toMatchObject({ delivered: 20 })
    const published = ids(await simulator.publish(source, 1))
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    await expectOnce(person, published)
  })

  it("holds back nothing that lies below it", async () => {
    const { source, person } = await followed("spotify", 60)
    const published = ids(await simulator.publish(source, 5))
    await simulator.publish(
      source,
      Array.from({ length: 70 }, () => ({ kind: "null" as const })),
    )
    expect(await person.pollNow()).toMatchObject({ delivered: 5 })
    await expectOnce(person, published)
  })
})

describe("A show that keeps only its newest episodes", () => {
  it("loses none of a whole turnover", async () => {
    const { source, person } = await followed("spotify", 30, { rollingWindow: 30 })
    const published = ids(await simulator.publish(source, 30))
    clock.aheadMs = 28 * hour
    await person.alarm()
    await expectOnce(person, published)
  })
})
