import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import type { JsonPatch } from "../../../local/simulator/model/faults.ts"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { hour, makeSources, minute, settled } from "../following.ts"
import { Person, simulator } from "../person.ts"
import { ids, nextPage, patch } from "./strange.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const library = { kind: "library" } as const

const followedInD1 = async (person: Person) => {
  const { results } = await env.DB.prepare("SELECT external_id AS id FROM user_subscriptions WHERE user_id = ?1")
    .bind(person.id)
    .all<{ readonly id: string }>()
  return new Set(ids(results))
}

/** Nobody was unfollowed, not even for a moment. */
const expectFollowed = async (person: Person, sources: ReadonlyArray<string>) => {
  expect(await followedInD1(person)).toEqual(new Set(sources))
  expect(new Set((await person.subscriptions()).map(({ sourceId }) => sourceId))).toEqual(new Set(sources))
  expect(await person.sql("SELECT count(DISTINCT followed_at) AS moments FROM subscriptions")).toEqual([{ moments: 1 }])
}

const nothing = {
  spotify: { items: [], total: 0 },
  youtube: { items: [], pageInfo: { totalResults: 0 } },
} satisfies Record<Provider, JsonPatch>

describe("An entry of the library that cannot be read", () => {
  it.each<[Provider, string, JsonPatch]>([
    ["spotify", "null", [{ path: "/items/0", value: null }]],
    ["spotify", "a show that is null", [{ path: "/items/0/show", value: null }]],
    ["spotify", "a show without a name", [{ path: "/items/0/show/name", value: null }]],
    ["spotify", "a show whose id is a number", [{ path: "/items/0/show/id", value: 17 }]],
    ["youtube", "null", [{ path: "/items/0", value: null }]],
    ["youtube", "a channel without a title", [{ path: "/items/0/snippet/title", value: null }]],
    ["youtube", "a channel without an id", [{ path: "/items/0/snippet/resourceId", value: {} }]],
  ])("of %s, such as %s, hides no other and is nobody's absence", async (provider, _what, changes) => {
    const sources = await makeSources(provider, 3)
    const person = await settled(sources, provider)
    await patch(person, library, changes)
    const published = ids((await simulator.publishMany(sources.map((source) => ({ source, count: 1 })))).flat())
    expect(await person.pollNow()).toMatchObject({ delivered: 2, accounts: [{ outcome: "polled" }] })
    await expectFollowed(person, sources)
    await simulator.clearFaults()
    await person.pollNow()
    await expectFollowed(person, sources)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
  })

  it("is no reason to keep an odd picture or count from those that can be read", async () => {
    const [show = ""] = await makeSources("spotify", 1, 3)
    const person = await new Person().follows(show)
    await patch(person, library, [
      { path: "/items/0/show/images", value: [null, { url: 7 }] },
      { path: "/items/0/show/total_episodes", value: "three" },
      { path: "/items/0/show/external_urls", value: "none" },
    ])
    await person.connects("spotify")
    await person.pollNow()
    expect(await person.feed()).toHaveLength(3)
  })
})

describe("A library that says that nothing is followed any more", () => {
  it.each(["spotify", "youtube"] as const)("once, at %s, takes nothing away", async (provider) => {
    const sources = await makeSources(provider, 3)
    const person = await settled(sources, provider)
    await patch(person, library, nothing[provider], { times: 1 })
    const published = ids(await simulator.publish(sources[0] ?? "", 1))
    await person.pollNow()
    await expectFollowed(person, sources)
    await person.pollNow()
    await expectFollowed(person, sources)
    expect(await person.newIds()).toEqual(published)
    // Long ago is not the first of two.
    clock.aheadMs += hour
    await patch(person, library, nothing[provider], { times: 1 })
    await person.pollNow()
    await expectFollowed(person, sources)
  })

  it.each(["spotify", "youtube"] as const)("is believed when %s says so again an interval later", async (provider) => {
    const sources = await makeSources(provider, 3)
    const person = await settled(sources, provider)
    await simulator.unsubscribe(person.id, ...sources)
    await person.pollNow()
    clock.aheadMs += 5 * minute
    await person.pollNow()
    await expectFollowed(person, sources)
    clock.aheadMs += 11 * minute
    await person.pollNow()
    expect(await followedInD1(person)).toEqual(new Set())
    expect(await person.subscriptions()).toEqual([])
  })

  it.each(["spotify", "youtube"] as const)("on a later page of %s takes nothing away", async (provider) => {
    const sources = await makeSources(provider, 120)
    const person = await settled(sources, provider)
    await simulator.subscribe(person.id, await simulator.createSource({ provider }))
    const end = provider === "spotify" ? [{ path: "/next", value: null }] : [{ path: "/nextPageToken" }]
    const total = provider === "spotify" ? "/total" : "/pageInfo/totalResults"
    await patch(person, { ...library, path: nextPage[provider].second }, [
      { path: "/items", value: [] },
      { path: total, value: 0 },
      ...end,
    ])
    await person.pollNow()
    clock.aheadMs += hour
    await person.pollNow()
    const followed = await followedInD1(person)
    expect(sources.filter((source) => !followed.has(source))).toEqual([])
  })

  it.each(["spotify", "youtube"] as const)("by a 304 nobody asked for, at %s, takes nothing away", async (provider) => {
    const sources = await makeSources(provider, 3)
    const person = await settled(sources, provider)
    await person.sql("DELETE FROM library_pages")
    await simulator.setFaults([{ match: { person: person.id, ...library }, fault: { type: "not_modified" }, times: 1 }])
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "unavailable", reason: "answered 304" }] })
    await expectFollowed(person, sources)
  })
})

describe("A library whose next page cannot be found", () => {
  const nowhere = "https://api.spotify.com/v1/me/shows?limit=50"
  it.each<[Provider, string, JsonPatch]>([
    ["spotify", "its address has no offset", [{ path: "/next", value: nowhere }]],
    ["spotify", "its address is empty", [{ path: "/next", value: "" }]],
    ["spotify", "it is the same page", nextPage.spotify.loop],
    ["spotify", "it is missing although there is more", [{ path: "/next", value: null }]],
    ["youtube", "its token is empty", { nextPageToken: "" }],
  ])("at %s, since %s, is said and read again", async (provider, _why, changes) => {
    const sources = await makeSources(provider, 120)
    const person = await new Person().follows(...sources)
    const faults = await patch(person, library, changes)
    await person.connects(provider)
    expect(await person.pollNow()).toMatchObject({
      accounts: [{ outcome: "unavailable", reason: expect.stringContaining("next page"), requests: 1 }],
    })
    await simulator.clearFaults(faults)
    await person.pollNow()
    expect(await person.feed()).toHaveLength(120)
    await expectFollowed(person, sources)
  })

  it("since YouTube's tokens go round ends after the first round", async () => {
    const channels = await makeSources("youtube", 120)
    const person = await new Person().follows(...channels)
    await patch(person, { ...library, path: nextPage.youtube.second }, nextPage.youtube.loop)
    await person.connects("youtube")
    expect(await person.pollNow()).toMatchObject({
      accounts: [{ outcome: "unavailable", reason: expect.stringContaining("next page"), requests: 2 }],
    })
  })
})
