import { env } from "cloudflare:workers"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { JsonPatch } from "../../local/simulator/model/faults.ts"
import type { RequestMatch } from "../../local/simulator/model.ts"
import type { Provider } from "../../src/domain/provider.ts"
import { clear, feedOf, followsOf, hoursPass, ledgerEnd, requestsOf, run, settle, simulator } from "./people.ts"

beforeEach(clear)
afterEach(() => simulator.clearFaults())

const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)
const both = ["spotify", "youtube"] as const

const patch = (person: string, match: RequestMatch, changes: JsonPatch, times = 100) =>
  simulator.setFaults([{ match: { ...match, person }, fault: { type: "patch", patch: changes }, times }])

const notModified = (person: string, kind: "items" | "library") =>
  simulator.setFaults([{ match: { person, kind }, fault: { type: "not_modified" }, times: 1 }])

const followed = async (provider: Provider, items = 60) => {
  const source = await simulator.createSource({ provider, items })
  const [userId = ""] = await settle(1, [source], { provider })
  await run()
  return { source, userId }
}

describe("A first look at a source with an archive", () => {
  it.each([
    ["spotify", "an empty listing", { emptyLooks: 1 }],
    ["youtube", "an empty listing", { emptyLooks: 1 }],
    ["spotify", "a 404", { missingLooks: 1 }],
    ["youtube", "no list of uploads", { missingLooks: 1 }],
  ] as const)("at %s that finds %s is made again, and brings the backfill", async (provider, _what, odd) => {
    const source = await simulator.createSource({ provider, items: 300, ...odd })
    const [userId = ""] = await settle(1, [source], { provider })
    expect(await run()).toMatchObject({ items: 0 })
    await hoursPass(25)
    expect(await run()).toMatchObject({ items: 20 })
    expect(await feedOf(userId)).toMatchObject({ fresh: [], backfill: { length: 20 } })
    const published = ids(await simulator.publish(source, 2))
    await run()
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })

  it.each(both)("at %s that is answered with a 304 nobody asked for is a failure", async (provider) => {
    const source = await simulator.createSource({ provider, items: 300 })
    const [userId = ""] = await settle(1, [source], { provider })
    await notModified(userId, "items")
    expect(await run()).toMatchObject({ items: 0, failures: [{ tag: "ProviderUnavailable", count: 1 }] })
    expect(await run()).toMatchObject({ items: 20 })
    expect(await feedOf(userId)).toMatchObject({ fresh: [], backfill: { length: 20 } })
  })

  it("at a channel that never had uploads makes its first video new", async () => {
    const source = await simulator.createSource({ provider: "youtube", missingLooks: 1 })
    const [userId = ""] = await settle(1, [source], { provider: "youtube" })
    await run()
    const published = ids(await simulator.publish(source, 1))
    await run()
    expect((await feedOf(userId)).fresh).toEqual(published)
  })

  it("that lists nothing is not made again before the count changes or a recheck is due", async () => {
    const source = await simulator.createSource({ provider: "youtube", items: 3, missingLooks: 9 })
    const people = await settle(1, [source], { provider: "youtube" })
    await run()
    const since = await ledgerEnd()
    await run()
    expect(await requestsOf(people, since)).toEqual({ library: 1 })
    await simulator.changeSource(source, { missingLooks: 0 })
    await simulator.publish(source, 1)
    expect(await run()).toMatchObject({ items: 4 })
    expect(await feedOf(people[0] ?? "")).toMatchObject({ fresh: [], backfill: { length: 4 } })
  })
})

describe("What cannot be read of a library", () => {
  it.each<[Provider, JsonPatch]>([
    ["spotify", [{ path: "/items/0", value: null }]],
    ["spotify", [{ path: "/items/0/show/name", value: null }]],
    ["youtube", [{ path: "/items/0", value: null }]],
    ["youtube", [{ path: "/items/0/snippet/title", value: null }]],
  ])("of %s hides no other entry, and is nobody's absence: %j", async (provider, changes) => {
    const sources = await simulator.createSources(Array.from({ length: 3 }, () => ({ provider, items: 1 })))
    const [userId = ""] = await settle(1, sources, { provider })
    await run()
    await patch(userId, { kind: "library" }, changes, 1)
    await simulator.publishMany(sources.map((source) => ({ source, count: 1 })))
    expect(await run()).toMatchObject({ items: 2, failed: 0 })
    expect(ids(await followsOf(userId)).toSorted()).toEqual(sources.toSorted())
    expect(await run()).toMatchObject({ items: 1 })
  })

  it.each(both)("is everything with a 304 that %s was not asked for", async (provider) => {
    const { source, userId } = await followed(provider)
    await notModified(userId, "library")
    expect(await run()).toMatchObject({ failed: 1 })
    expect(ids(await followsOf(userId))).toEqual([source])
  })

  it.each<[Provider, JsonPatch]>([
    ["spotify", [{ path: "/next", value: "https://api.spotify.com/v1/me/shows?limit=50" }]],
    ["spotify", [{ path: "/next", from: "/href" }]],
    ["spotify", [{ path: "/next", value: null }]],
    ["youtube", { nextPageToken: "" }],
    ["youtube", { nextPageToken: `EAAa${btoa("PT:00001e")}` }],
  ])("of %s below a page that does not tell where it goes on makes it a failure: %j", async (provider, changes) => {
    const sources = await simulator.createSources(Array.from({ length: 120 }, () => ({ provider, items: 1 })))
    const people = await settle(1, sources, { provider })
    const since = await ledgerEnd()
    await patch(people[0] ?? "", { kind: "library" }, changes)
    expect(await run()).toMatchObject({ failed: 1, items: 0 })
    expect((await requestsOf(people, since)).library).toBeLessThanOrEqual(2)
    await simulator.clearFaults()
    expect(await run()).toMatchObject({ failed: 0, items: 120 })
  })
})

describe("A library that says that nothing is followed any more", () => {
  const nothing = {
    spotify: { items: [], total: 0 },
    youtube: { items: [], pageInfo: { totalResults: 0 } },
  } satisfies Record<Provider, JsonPatch>

  it.each(both)("once, at %s, takes nothing away", async (provider) => {
    const { source, userId } = await followed(provider)
    await patch(userId, { kind: "library" }, nothing[provider], 1)
    const published = ids(await simulator.publish(source, 1))
    expect(await run()).toMatchObject({ failed: 0, items: 0 })
    expect(ids(await followsOf(userId))).toEqual([source])
    await run()
    expect((await feedOf(userId)).fresh).toEqual(published)
  })

  it.each(both)("is believed when %s says so again a quarter of an hour later", async (provider) => {
    const { source, userId } = await followed(provider)
    await simulator.unsubscribe(userId, source)
    await run()
    await run()
    expect(ids(await followsOf(userId))).toEqual([source])
    await env.DB.prepare(
      `UPDATE durable_object_metrics SET figures = json_set(figures, '$.emptied[0][1]', figures->>'$.emptied[0][1]' - 900000)
       WHERE figures->>'$.emptied[0][0]' IS NOT NULL`,
    ).run()
    await run()
    expect(await followsOf(userId)).toEqual([])
  })
})

describe("A listing", () => {
  it.each<[Provider, JsonPatch]>([
    ["spotify", [{ path: "/next", value: "https://api.spotify.com/v1/shows/x/episodes?limit=50" }]],
    ["spotify", [{ path: "/next", from: "/href" }]],
    ["spotify", [{ path: "/next", value: null }]],
    ["youtube", { nextPageToken: "" }],
    ["youtube", { nextPageToken: `EAAa${btoa("PT:00001e")}` }],
  ])("of %s that does not tell where it goes on loses none of 120 items: %j", async (provider, changes) => {
    const { source, userId } = await followed(provider)
    const published = ids(await simulator.publish(source, 120))
    const since = await ledgerEnd()
    await patch(userId, { kind: "items" }, changes)
    expect(await run()).toMatchObject({ items: 0, failures: [{ tag: "ProviderUnavailable", count: 1 }] })
    expect((await requestsOf([userId], since)).items).toBeLessThanOrEqual(2)
    await simulator.clearFaults()
    await run()
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })

  it.each<[Provider, JsonPatch]>([
    ["spotify", [{ path: "/items/0/name", value: null }]],
    ["youtube", [{ path: "/items/0", value: null }]],
    ["youtube", [{ path: "/items/0/snippet", value: null }]],
  ])("of %s hides nothing behind an entry that cannot be read: %j", async (provider, changes) => {
    const { source, userId } = await followed(provider, 5)
    const published = ids(await simulator.publish(source, 3))
    await patch(userId, { kind: "items" }, changes, 1)
    expect(await run()).toMatchObject({ items: 2, failures: [] })
    await hoursPass(25)
    await run()
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })

  it.each(both)("of %s is searched below its first page for an item that the count announces", async (provider) => {
    const { source, userId } = await followed(provider)
    await simulator.publish(source, 120)
    await run()
    const late = ids(await simulator.publish(source, [{ below: 70, publishedAt: Date.UTC(2011, 0, 1) }]))
    expect(await run()).toMatchObject({ items: 1 })
    expect((await feedOf(userId)).fresh).toEqual(expect.arrayContaining(late))
  })

  it("begins anew with items of the same year when all that were known are removed", async () => {
    const source = await simulator.createSource({ provider: "spotify" })
    const item = { kind: "precision-year", publishedAt: await simulator.now() } as const
    await simulator.publish(source, [item, item, item])
    const [userId = ""] = await settle(1, [source])
    await run()
    await simulator.removeItems(source)
    const published = ids(await simulator.publish(source, [item, item]))
    expect(await run()).toMatchObject({ items: 2 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })
})

describe("Ids", () => {
  it("with commas are one each where many shows are asked for at once", async () => {
    const own = crypto.randomUUID().slice(0, 8)
    const shows = await simulator.createSources([
      { provider: "spotify", id: `a,b-${own}`, items: 1 },
      { provider: "spotify", id: "..", items: 1 },
      ...Array.from({ length: 58 }, () => ({ provider: "spotify", items: 1 }) as const),
    ])
    const [userId = ""] = await settle(1, shows)
    expect(await run()).toMatchObject({ items: 59, failures: [{ tag: "ProviderUnavailable", count: 1 }] })
    const published = ids(
      (await simulator.publishMany(shows.slice(0, 4).map((source) => ({ source, count: 1 })))).flat(),
    )
    expect(await run()).toMatchObject({ items: 3 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.filter((_, at) => at !== 1).toSorted())
  })
})
