import { afterEach, describe, expect, it } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { hour } from "../following.ts"
import { Person, simulator } from "../person.ts"
import { ids, later } from "./strange.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const connected = async (provider: Provider, source: string) => {
  const person = await new Person().follows(source)
  await person.connects(provider)
  return person
}

/** The source was followed for the first time with 300 items in it. */
const expectBackfillAlone = async (person: Person, source: string) => {
  const feed = await person.feed()
  expect(new Set(ids(feed))).toEqual(new Set(ids((await simulator.items(source)).slice(0, 20))))
  expect(feed.every(({ isBackfill }) => isBackfill === 1)).toBe(true)
  const published = ids(await simulator.publish(source, 2))
  await person.pollNow()
  expect(new Set(await person.newIds())).toEqual(new Set(published))
}

describe("A first look at a source with an archive", () => {
  it.each([
    ["spotify", "an empty listing", { emptyLooks: 1 }],
    ["youtube", "an empty listing", { emptyLooks: 1 }],
    ["spotify", "a 404", { missingLooks: 1 }],
    ["youtube", "no list of uploads", { missingLooks: 1 }],
  ] as const)("at %s that finds %s does not make the archive new", async (provider, _what, odd) => {
    const source = await simulator.createSource({ provider, items: 300, ...odd })
    const person = await connected(provider, source)
    await person.pollNow()
    await later(person, 25 * hour)
    await expectBackfillAlone(person, source)
  })

  it.each(["spotify", "youtube"] as const)(
    "at %s that is answered with a 304 nobody asked for does not make the archive new",
    async (provider) => {
      const source = await simulator.createSource({ provider, items: 300 })
      const person = await new Person().follows(source)
      const match = { person: person.id, kind: "items" } as const
      await simulator.setFaults([{ match, fault: { type: "not_modified" }, times: 1 }])
      await person.connects(provider)
      await person.pollNow()
      await later(person, 25 * hour)
      await expectBackfillAlone(person, source)
    },
  )

  it("that finds a listing empty says so while the library counts items", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 3, emptyLooks: 5 })
    const person = await connected("spotify", source)
    await person.pollNow()
    expect((await person.status()).failing).toMatchObject([
      { sourceId: source, reason: "its listing is empty, though it counts 3 items" },
    ])
    await simulator.changeSource(source, { emptyLooks: 0 })
    await later(person, hour)
    expect((await person.status()).failing).toEqual([])
  })
})

describe("A source that is known", () => {
  it("keeps what it waits for when its listing is empty in passing", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 5 })
    const person = await connected("spotify", source)
    await person.pollNow()
    const [waiting] = await simulator.publish(source, [{ kind: "unplayable" }])
    await person.pollNow()
    await simulator.changeItem(waiting?.id ?? "", { kind: "normal" })
    await simulator.changeSource(source, { emptyLooks: 1 })
    await later(person, 27 * hour)
    await later(person, hour)
    expect(await person.newIds()).toEqual([waiting?.id])
  })

  it.each(["spotify", "youtube"] as const)("of %s is rechecked without its entity tag", async (provider) => {
    const source = await simulator.createSource({ provider, items: 5, standingTotal: true })
    const person = await connected(provider, source)
    await person.pollNow()
    const published = ids(await simulator.publish(source, 1))
    await simulator.clearLedger(person.id)
    await later(person, 27 * hour)
    expect(await simulator.ledger({ person: person.id, kind: "items" })).toMatchObject([{ conditional: false }])
    expect(await person.newIds()).toEqual(published)
  })

  it.each(["spotify", "youtube"] as const)(
    "of %s is searched below its first page for an item that its count announces",
    async (provider) => {
      const source = await simulator.createSource({ provider, items: 60 })
      const person = await connected(provider, source)
      await person.pollNow()
      await simulator.publish(source, 120)
      await person.pollNow()
      const late = ids(await simulator.publish(source, [{ below: 70, publishedAt: Date.UTC(2011, 0, 1) }]))
      expect(await person.pollNow()).toMatchObject({ delivered: 1 })
      expect(await person.newIds()).toEqual(expect.arrayContaining(late))
    },
  )

  it.each(["precision-month", "precision-year"] as const)(
    "begins anew with items of the same %s when all that were known are removed",
    async (kind) => {
      const source = await simulator.createSource({ provider: "spotify" })
      const item = { kind, publishedAt: Date.UTC(2026, 6, 9) } as const
      await simulator.publish(
        source,
        Array.from({ length: 60 }, () => item),
      )
      const person = await connected("spotify", source)
      await person.pollNow()
      await simulator.removeItems(source)
      const published = ids(await simulator.publish(source, [item, item, item]))
      expect(await person.pollNow()).toMatchObject({ delivered: 3 })
      expect(new Set(await person.newIds())).toEqual(new Set(published))
    },
  )
})
