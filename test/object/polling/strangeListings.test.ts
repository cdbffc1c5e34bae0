import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import type { JsonPatch } from "../../../local/simulator/model/faults.ts"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { hour, makeSources, settled } from "../following.ts"
import { captureLogs } from "../logs.ts"
import { Person, simulator } from "../person.ts"
import { ids, later, nextPage, pageToken, patch } from "./strange.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const items = { kind: "items" } as const

const followed = async (provider: Provider, count = 60) => {
  const source = await simulator.createSource({ provider, items: count })
  return { source, person: await settled([source], provider) }
}

const rowOf = (table: "feed_items" | "subscriptions", id: string) =>
  env.DB.prepare(`SELECT * FROM ${table} WHERE external_id = ?1`).bind(id).first<Record<string, string | number>>()

describe("A listing whose next page cannot be found", () => {
  const nowhere = "https://api.spotify.com/v1/shows/x/episodes?limit=50"
  it.each<[Provider, string, JsonPatch]>([
    ["spotify", "its address has no offset", [{ path: "/next", value: nowhere }]],
    ["spotify", "its offset is no number", [{ path: "/next", value: `${nowhere}&offset=more` }]],
    ["spotify", "it is the same page", nextPage.spotify.loop],
    ["spotify", "it is missing although there is more", [{ path: "/next", value: null }]],
    ["youtube", "its token is empty", { nextPageToken: "" }],
  ])("at %s, since %s, loses none of 120 items", async (provider, _why, changes) => {
    const { source, person } = await followed(provider)
    const published = ids(await simulator.publish(source, 120))
    const faults = await patch(person, items, changes)
    expect(await person.pollNow()).toMatchObject({ delivered: 0, accounts: [{ outcome: "polled", failed: 1 }] })
    expect((await person.status()).failing).toMatchObject([
      { sourceId: source, reason: expect.stringContaining("next page") },
    ])
    expect(await simulator.counts({ person: person.id, ...items })).toMatchObject({ total: 1 })
    await simulator.clearFaults(faults)
    await later(person, hour)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })

  it("since it leaves some out is read on from where this one ends", async () => {
    const { source, person } = await followed("spotify")
    const published = ids(await simulator.publish(source, 120))
    await patch(person, { ...items, path: "offset=0" }, [{ path: "/next", value: `${nowhere}&offset=100` }])
    await person.pollNow()
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })

  it("since YouTube's tokens go round stops neither the account nor loses an item", async () => {
    const { source, person } = await followed("youtube")
    const other = await simulator.createSource({ provider: "youtube", items: 1 })
    await simulator.subscribe(person.id, other)
    const published = ids(await simulator.publish(source, 170))
    const third = pageToken(100)
    const faults = await patch(person, { ...items, path: `pageToken=${third}` }, { nextPageToken: pageToken(50) })
    expect(await person.pollNow()).toMatchObject({ delivered: 1, accounts: [{ outcome: "polled", failed: 1 }] })
    await simulator.clearFaults(faults)
    await later(person, hour)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })
})

describe("An entry of a listing that cannot be read", () => {
  it.each<[Provider, string, JsonPatch]>([
    ["spotify", "a name that is null", [{ path: "/items/0/name", value: null }]],
    ["spotify", "an id that is a number", [{ path: "/items/0/id", value: 1 }]],
    ["spotify", "an id of 100 kB", [{ path: "/items/0/id", value: "x".repeat(100_000) }]],
    ["youtube", "null", [{ path: "/items/0", value: null }]],
    ["youtube", "a snippet that is null", [{ path: "/items/0/snippet", value: null }]],
  ])("of %s, such as %s, hides no other, is said, and is found later", async (provider, _what, changes) => {
    const { source, person } = await followed(provider, 5)
    const published = ids(await simulator.publish(source, 3))
    await patch(person, items, changes, { times: 1 })
    using logs = captureLogs()
    expect(await person.pollNow()).toMatchObject({ delivered: 2, accounts: [{ failed: 0 }] })
    expect(logs.text()).toContain("could not be read")
    await later(person, 27 * hour)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })

  it.each<[string, JsonPatch]>([
    [
      "a precision nobody knows",
      [
        { path: "/items/0/release_date_precision", value: "decade" },
        { path: "/items/0/release_date", value: "2020s" },
      ],
    ],
    ["a picture that is none", [{ path: "/items/0/images", value: [null] }]],
    ["a duration of 1e17", [{ path: "/items/0/duration_ms", value: 1e17 }]],
    ["a duration in words", [{ path: "/items/0/duration_ms", value: "long" }]],
  ])("is not one with %s: that is left out", async (_what, changes) => {
    const { source, person } = await followed("spotify", 5)
    const published = ids(await simulator.publish(source, 2))
    await patch(person, items, changes)
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    expect(new Set(await person.newIds())).toEqual(new Set(published))
    for (const id of published) expect((await rowOf("feed_items", id))?.["duration_ms"] ?? 0).toBeLessThan(1e10)
  })

  it("leaves what waits below it in peace", async () => {
    const { source, person } = await followed("spotify", 5)
    const [waiting] = await simulator.publish(source, [{ kind: "unplayable" }])
    await person.pollNow()
    await simulator.changeItem(waiting?.id ?? "", { kind: "normal" })
    await patch(person, items, [{ path: "/items/0", value: null }], { times: 1 })
    await later(person, 27 * hour)
    await later(person, 27 * hour)
    expect(await person.newIds()).toEqual([waiting?.id])
  })

  it("among the details of videos leaves that video waiting", async () => {
    const { source, person } = await followed("youtube", 5)
    const published = ids(await simulator.publish(source, 3))
    await patch(person, { kind: "details" }, [{ path: "/items/0/snippet", value: null }], { times: 2 })
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    for (let day = 0; day < 3; day += 1) await later(person, 27 * hour)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })
})

describe("An address", () => {
  it.each(["javascript:alert(1)", "data:text/html,x", `https://x.test/${"x".repeat(1_000_000)}`, "//x.test", ""])(
    "that is no bounded one of the web is neither a source's nor an item's",
    async (address) => {
      const [show = ""] = await makeSources("spotify", 1)
      const person = await new Person().follows(show)
      await patch(person, { kind: "library" }, [
        { path: "/items/0/show/external_urls/spotify", value: address },
        { path: "/items/0/show/images/0/url", value: address },
      ])
      await patch(person, items, [
        { path: "/items/0/external_urls/spotify", value: address },
        { path: "/items/0/images/0/url", value: address },
        { path: "/items/0/description", value: "x".repeat(100_000) },
      ])
      await person.connects("spotify")
      await person.pollNow()
      const [item] = await person.feed()
      expect(await rowOf("subscriptions", show)).toMatchObject({ url: `https://open.spotify.com/show/${show}` })
      expect(await rowOf("feed_items", item?.id ?? "")).toMatchObject({
        url: `https://open.spotify.com/episode/${item?.id}`,
      })
      for (const row of [await rowOf("subscriptions", show), await rowOf("feed_items", item?.id ?? "")]) {
        expect(row?.["image_url"] ?? "https://").toMatch(/^https:\/\/(i\.scdn\.co|$)/)
      }
    },
  )

  it("of a channel's picture is one of the web as well", async () => {
    const [channel = ""] = await makeSources("youtube", 1)
    const person = await new Person().follows(channel)
    const thumbnails = { high: { url: "javascript:alert(1)" }, medium: null }
    await patch(person, {}, [{ path: "/items/0/snippet/thumbnails", value: thumbnails }])
    await person.connects("youtube")
    await person.pollNow()
    const [item] = await person.feed()
    expect(await rowOf("subscriptions", channel)).toMatchObject({ image_url: null })
    expect(await rowOf("feed_items", item?.id ?? "")).toMatchObject({ image_url: null })
  })
})

describe("An id", () => {
  it("with a comma is one id, and dots lead nowhere else", async () => {
    const own = crypto.randomUUID().slice(0, 8)
    const [comma = "", dots = "", dot = ""] = await simulator.createSources([
      { provider: "spotify", id: `a,b/${own}?x=1&y`, items: 1 },
      { provider: "spotify", id: "..", items: 1 },
      { provider: "spotify", id: ".", items: 1 },
    ])
    const person = await new Person().follows(comma, dots, dot)
    await person.connects("spotify")
    await person.pollNow()
    expect(await person.feed()).toHaveLength(1)
    const paths = (await simulator.ledger({ person: person.id })).map(({ path }) => path)
    expect(paths.filter((path) => /\/v1\/(shows\/?|episodes)$/.test(path))).toEqual([])
    expect((await person.status()).failing.map(({ sourceId }) => sourceId).sort()).toEqual([".", ".."])
  })

  it("of a video with a comma is never taken for two", async () => {
    const own = crypto.randomUUID().slice(0, 8)
    const channel = await simulator.createSource({ provider: "youtube", id: `UC,${own}`, items: 1 })
    const person = await settled([channel], "youtube")
    const published = ids(await simulator.publish(channel, [{ id: `v,${own}` }, { id: `w${own}` }]))
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    expect(new Set(await person.newIds())).toEqual(new Set(published))
    const asked = await simulator.ledger({ person: person.id, kind: "details" })
    expect(asked.map(({ query }) => query["id"])).toEqual([`w${own}`])
  })

  it("that is long can be where a page of subscriptions ends", async () => {
    const long = (mark: string) => `${mark}${crypto.randomUUID()}`.padEnd(600, '"')
    const shows = await simulator.createSources([
      { provider: "spotify", id: long("a"), items: 1 },
      { provider: "spotify", id: long("b"), items: 1 },
    ])
    const person = await settled(shows, "spotify")
    const first = await person.subscriptionPage({ limit: 1 })
    const second = await person.subscriptionPage({ limit: 1, cursor: first.next ?? "" })
    expect([...first.subscriptions, ...second.subscriptions].map(({ sourceId }) => sourceId)).toEqual(shows)
  })
})
