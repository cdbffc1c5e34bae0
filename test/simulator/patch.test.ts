import { afterAll, beforeAll, expect, test } from "vitest"
import type { JsonPatch } from "../../local/simulator/model/faults.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { getWith } from "./asking.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const patchFor = (person: string, patch: JsonPatch, path = "/") =>
  simulator.client.setFaults([{ match: { person, path }, fault: { type: "patch", patch } }])

/** A show's listing of three episodes, two a page, as a person sees it with a patch. */
const listingWith = async (patch: JsonPatch) => {
  const person = JSON.stringify(patch)
  const show = await simulator.client.createSource({ provider: "spotify", items: 3 })
  const { accessToken } = await simulator.client.grant(person, "spotify")
  const url = `${simulator.client.endpoints.spotify.api}/shows/${show}/episodes?limit=2`
  const plain: unknown = await (await getWith(accessToken, url)).json()
  await patchFor(person, patch)
  const response = await getWith(accessToken, url)
  return { plain, patched: (await response.json()) as unknown, status: response.status }
}

const first = { path: "/items/0" }
const next = "https://api.spotify.com/v1/shows/x/episodes?limit=2"

test.each<[string, JsonPatch, object]>([
  ["a next without an offset", { next }, { next }],
  ["a next that leads nowhere", { next: "" }, { next: "" }],
  ["holes", [{ ...first, value: null }], { items: [null, {}] }],
  ["nothing at all and a total of 0", { items: [], total: 0, next: "x" }, { items: [], total: 0, next: "x" }],
  ["a total of its own", { total: 1_000_000 }, { total: 1_000_000, items: [{}, {}] }],
  ["a name that is null", [{ path: "/items/1/name", value: null }], { items: [{}, { name: null }] }],
  [
    "an unknown precision of the release date",
    [
      { path: "/items/0/release_date_precision", value: "decade" },
      { path: "/items/0/release_date", value: "2020s" },
    ],
    { items: [{ release_date_precision: "decade", release_date: "2020s" }, {}] },
  ],
  ["a duration of 1e17", [{ path: "/items/0/duration_ms", value: 1e17 }], { items: [{ duration_ms: 1e17 }, {}] }],
  ["an item too many", [{ path: "/items/-", from: "/items/0" }], { items: [{}, {}, {}] }],
  ["an item too few", [first], { items: [{}] }],
])("a listing can have %s and is true in everything else", async (_, patch, expected) => {
  const { plain, patched, status } = await listingWith(patch)
  expect(status).toBe(200)
  expect(plain).not.toMatchObject(expected)
  expect(patched).toMatchObject(expected)
  expect(patched).toMatchObject({ href: expect.stringContaining("offset=0"), limit: 2, offset: 0, previous: null })
})

test("a member can be taken away, and the whole answer replaced by what is no object", async () => {
  expect((await listingWith([{ path: "/items" }])).patched).not.toHaveProperty("items")
  expect((await listingWith({ next: null })).patched).not.toHaveProperty("next")
  expect((await listingWith([{ path: "", value: [] }])).patched).toEqual([])
})

test("a page can name itself as the next one", async () => {
  const { patched } = await listingWith([{ path: "/next", from: "/href" }])
  const { href, next } = patched as { href: string; next: string }
  expect([next, new URL(next).searchParams.get("offset")]).toEqual([href, "0"])
})

test("YouTube's page tokens can go round in a ring", async () => {
  const channel = await simulator.client.createSource({ provider: "youtube", items: 3 })
  const { accessToken } = await simulator.client.grant("ring", "youtube")
  const url = `${simulator.client.endpoints.youtube.api}/playlistItems?part=id&maxResults=1&playlistId=UU${channel.slice(2)}`
  const tokenAfter = async (pageToken = ""): Promise<string> => {
    const response = await getWith(accessToken, `${url}&pageToken=${pageToken}`)
    return ((await response.json()) as { nextPageToken: string }).nextPageToken
  }
  const second = await tokenAfter()
  await patchFor("ring", { nextPageToken: second }, `pageToken=${second}`)
  expect(await tokenAfter(second)).toBe(second)
  expect(await tokenAfter()).toBe(second)
})

test("a patch needs a body: a client that knows the entity tag is given one", async () => {
  const { accessToken } = await simulator.client.grant("knowing", "spotify")
  const url = `${simulator.client.endpoints.spotify.api}/me/shows`
  const etag = (await getWith(accessToken, url)).headers.get("etag") ?? ""
  const ask = () => getWith(accessToken, url, { headers: { "if-none-match": etag } })
  expect((await ask()).status).toBe(304)
  await patchFor("knowing", { total: 7 })
  expect(await (await ask()).json()).toMatchObject({ total: 7 })
})

test("a refusal is never patched", async () => {
  const { accessToken: expired } = await simulator.client.grant("refused", "spotify", { expiresInSeconds: -1 })
  await patchFor("refused", { error: { message: "patched" }, items: [] })
  const response = await getWith(expired, `${simulator.client.endpoints.spotify.api}/me/shows`)
  expect(await response.json()).toEqual({ error: { status: 401, message: "The access token expired" } })
})

test("the ledger names a patch only where it changed something", async () => {
  const { accessToken } = await simulator.client.grant("counted", "spotify")
  const url = `${simulator.client.endpoints.spotify.api}/me/shows`
  const { accessToken: expired } = await simulator.client.grant("counted", "spotify", { expiresInSeconds: -1 })
  await patchFor("counted", [{ path: "/items/0/show/name", value: null }])
  expect((await getWith(expired, url)).status).toBe(401)
  expect((await getWith(accessToken, url)).status).toBe(200)
  await simulator.client.subscribe("counted", await simulator.client.createSource({ provider: "spotify" }))
  await getWith(accessToken, url)
  const asked = await simulator.client.ledger({ person: "counted" })
  expect(asked.map(({ fault }) => fault)).toEqual([undefined, undefined, "patch"])
})
