import { auth, youtube } from "@googleapis/youtube"
import { type Market, SpotifyApi } from "@spotify/web-api-ts-sdk"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { getWith } from "./asking.ts"

const market: Market = "DE"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

/** Spotify's own client, with nothing changed but the host. */
const spotifyOf = async (person: string): Promise<SpotifyApi> => {
  const { accessToken } = await simulator.client.grant(person, "spotify")
  const tokens = { access_token: accessToken, token_type: "Bearer", expires_in: 3600, refresh_token: "" }
  return SpotifyApi.withAccessToken("simulator-client", tokens, {
    fetch: (input, init) =>
      fetch(String(input).replace("https://api.spotify.com/v1", simulator.client.endpoints.spotify.api), init),
  })
}

/** Google's own client, with nothing changed but the root of its addresses. */
const youtubeOf = async (person: string) => {
  const credentials = new auth.OAuth2()
  credentials.setCredentials({ access_token: (await simulator.client.grant(person, "youtube")).accessToken })
  return youtube({ version: "v3", rootUrl: `${simulator.url}/google/api/`, auth: credentials, retry: false })
}

const uploadsOf = (channel: string): string => `UU${channel.slice(2)}`

test("a show can be missing, then empty, then full, whoever looks", async () => {
  const odd = { items: 3, missingLooks: 1, emptyLooks: 2 }
  const show = await simulator.client.createSource({ provider: "spotify", ...odd })
  const sdk = await spotifyOf("spotify looks")
  await expect(sdk.shows.episodes(show, market)).rejects.toThrow("404")
  const looks = [await sdk.shows.episodes(show, market), await sdk.shows.episodes(show, market)]
  looks.push(await (await spotifyOf("another")).shows.episodes(show, market))
  expect(looks.map(({ items, total, next }) => [items.length, total, next])).toEqual([
    [0, 0, null],
    [0, 0, null],
    [3, 3, null],
  ])
  expect((await sdk.shows.get(show, market)).total_episodes).toBe(3)
})

test("a channel's uploads can be missing, then empty, then full, and all of it again", async () => {
  const channel = await simulator.client.createSource({ provider: "youtube", items: 3 })
  const api = await youtubeOf("youtube looks")
  const look = () =>
    api.playlistItems.list({ part: ["id"], playlistId: uploadsOf(channel) }).then(
      ({ data }) => data.items?.length,
      (error: { readonly status: number }) => error.status,
    )
  const odd = { missingLooks: 1, emptyLooks: 1 }
  expect(await look()).toBe(3)
  await simulator.client.changeSource(channel, odd)
  expect([await look(), await look(), await look()]).toEqual([404, 0, 3])
})

test("an empty look has an entity tag of its own", async () => {
  const show = await simulator.client.createSource({ provider: "spotify", items: 1, emptyLooks: 1 })
  const { accessToken } = await simulator.client.grant("tagged", "spotify")
  const url = `${simulator.client.endpoints.spotify.api}/shows/${show}/episodes`
  const empty = (await getWith(accessToken, url)).headers.get("etag") ?? ""
  expect((await getWith(accessToken, url, { headers: { "if-none-match": empty } })).status).toBe(200)
})

test("ids can be anything: a comma parts YouTube's, and dots lead Spotify's client elsewhere", async () => {
  const [odd = "", dots = ""] = await simulator.client.createSources([
    { provider: "spotify", id: "a,b", items: 1 },
    { provider: "spotify", id: "..", items: 1 },
  ])
  const channel = await simulator.client.createSource({ provider: "youtube", id: "UC,x" })
  await simulator.client.publish(channel, [{ id: "v,w" }, { id: "." }])
  await simulator.client.subscribe("odd", odd, dots, channel)
  const sdk = await spotifyOf("odd")
  expect((await sdk.currentUser.shows.savedShows(50)).items.map(({ show }) => show.id)).toEqual(["..", "a,b"])
  expect((await sdk.shows.episodes("a%2Cb", market)).items).toHaveLength(1)
  await expect(sdk.shows.episodes("..", market)).rejects.toThrow("Bad OAuth request")
  expect((await simulator.client.ledger({ person: "odd" })).at(-1)?.path).toBe("/spotify/api/v1/episodes")
  const api = await youtubeOf("odd")
  const { data } = await api.playlistItems.list({ part: ["contentDetails"], playlistId: "UU,x" })
  expect(data.items?.map(({ contentDetails }) => contentDetails?.videoId)).toEqual([".", "v,w"])
  const details = await api.videos.list({ part: ["id"], id: ["v,w", "."] })
  expect(details.data.items?.map(({ id }) => id)).toEqual(["."])
})

test("an id that is taken is refused", async () => {
  const show = await simulator.client.createSource({ provider: "spotify", id: "mine" })
  await expect(simulator.client.createSource({ provider: "youtube", id: "mine" })).rejects.toThrow("is there already")
  await simulator.client.publish(show, [{ id: "one" }])
  await expect(simulator.client.publish(show, [{ id: "one" }])).rejects.toThrow("is there already")
})

test("what is published can appear below the first page", async () => {
  const show = await simulator.client.createSource({ provider: "spotify", items: 60 })
  const [late] = await simulator.client.publish(show, [{ below: 50 }])
  const [last] = await simulator.client.publish(show, [{ below: 1000 }])
  const sdk = await spotifyOf("below")
  const first = await sdk.shows.episodes(show, market, 50)
  const second = await sdk.shows.episodes(show, market, 50, 50)
  expect(first.total).toBe(62)
  expect(first.items.map(({ id }) => id)).not.toContain(late?.id)
  expect([second.items[0]?.id, second.items.at(-1)?.id]).toEqual([late?.id, last?.id])
})

test("a total can stand still while episodes appear, and the library's entity tag with it", async () => {
  const show = await simulator.client.createSource({ provider: "spotify", items: 2, standingTotal: true })
  await simulator.client.subscribe("standing", show)
  const { accessToken } = await simulator.client.grant("standing", "spotify")
  const url = `${simulator.client.endpoints.spotify.api}/me/shows`
  const etag = (await getWith(accessToken, url)).headers.get("etag") ?? ""
  await simulator.client.publish(show, 3)
  expect((await getWith(accessToken, url, { headers: { "if-none-match": etag } })).status).toBe(304)
  const sdk = await spotifyOf("standing")
  expect((await sdk.shows.get(show, market)).total_episodes).toBe(2)
  expect(await sdk.shows.episodes(show, market)).toMatchObject({ total: 5 })
  await simulator.client.changeSource(show, { standingTotal: false })
  expect((await sdk.currentUser.shows.savedShows(50)).items.map(({ show }) => show.total_episodes)).toEqual([5])
})

test("YouTube's counts of a subscription can stand still while videos appear", async () => {
  const channel = await simulator.client.createSource({ provider: "youtube", items: 2, standingTotal: true })
  await simulator.client.subscribe("still", channel)
  await simulator.client.publish(channel, 3)
  const api = await youtubeOf("still")
  const { data } = await api.subscriptions.list({ part: ["contentDetails"], mine: true })
  expect(data.items?.[0]?.contentDetails).toMatchObject({ totalItemCount: 2, newItemCount: 0 })
  expect((await api.playlistItems.list({ part: ["id"], playlistId: uploadsOf(channel) })).data.items).toHaveLength(5)
})

test("a new episode can have the coarse date that the known ones have", async () => {
  const show = await simulator.client.createSource({ provider: "spotify" })
  const item = { kind: "precision-month", publishedAt: Date.UTC(2026, 6, 9) } as const
  await simulator.client.publish(show, [item, item])
  const sdk = await spotifyOf("coarse")
  const known = (await sdk.shows.episodes(show, market)).items
  const [fresh] = await simulator.client.publish(show, [{ ...item, below: 1 }])
  const now = (await sdk.shows.episodes(show, market)).items
  expect(now.map(({ id }) => id)).toEqual([known[0]?.id, fresh?.id, known[1]?.id])
  expect(new Set(now.map(({ release_date }) => release_date))).toEqual(new Set(["2026-07"]))
})

test("all items of a source can go at once, those of the archive and those published", async () => {
  const [show = "", untouched = ""] = await simulator.client.createSources([
    { provider: "spotify", items: 3 },
    { provider: "spotify", items: 3 },
  ])
  const [episode] = await simulator.client.publish(show, 1)
  await simulator.client.removeItems(show)
  await simulator.client.removeItems(untouched)
  expect([await simulator.client.items(show), await simulator.client.items(untouched)]).toEqual([[], []])
  const sdk = await spotifyOf("emptied")
  expect((await sdk.shows.get(show, market)).total_episodes).toBe(0)
  await expect(sdk.episodes.get(episode?.id ?? "", market)).rejects.toThrow("404")
  const [next] = await simulator.client.publish(show, 1)
  expect((await simulator.client.items(show)).map(({ id }) => id)).toEqual([next?.id])
})
