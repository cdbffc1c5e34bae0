import { type Market, SpotifyApi } from "@spotify/web-api-ts-sdk"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const realHost = "https://api.spotify.com/v1"
const market: Market = "DE"

/** Spotify's own client, with nothing changed but the host. */
const sdkWith = (accessToken: string, at = simulator): SpotifyApi =>
  SpotifyApi.withAccessToken(
    "simulator-client",
    { access_token: accessToken, token_type: "Bearer", expires_in: 3600, refresh_token: "" },
    { fetch: (input, init) => fetch(String(input).replace(realHost, at.client.endpoints.spotify.api), init) },
  )

const sdkOf = async (person: string, scope?: ReadonlyArray<string>): Promise<SpotifyApi> => {
  const grant = await simulator.client.grant(person, "spotify", scope === undefined ? {} : { scope })
  return sdkWith(grant.accessToken)
}

const get = (path: string, token: string, headers: Record<string, string> = {}) =>
  fetch(`${simulator.client.endpoints.spotify.api}${path}`, {
    headers: { authorization: `Bearer ${token}`, ...headers },
  })

describe("the library", () => {
  test("Spotify's client pages through saved shows, newest first, without losing one", async () => {
    const shows = await simulator.client.createSources(
      Array.from({ length: 120 }, () => ({ provider: "spotify" as const, items: 3 })),
    )
    await simulator.client.subscribe("reader", ...shows)
    const sdk = await sdkOf("reader")
    const seen: Array<string> = []
    for (let offset = 0; ; offset += 50) {
      const page = await sdk.currentUser.shows.savedShows(50, offset)
      seen.push(...page.items.map(({ show }) => show.id))
      expect(Object.keys(page).sort()).toEqual(["href", "items", "limit", "next", "offset", "previous", "total"])
      if (page.next === null) break
    }
    expect(seen).toEqual([...shows].reverse())
  })

  test("a page's next leads to the following page", async () => {
    await simulator.client.seed({ people: ["follower"], showsEach: 3, channelsEach: 0, itemsEach: 1 })
    const { accessToken } = await simulator.client.grant("follower", "spotify")
    const first = (await (await get("/me/shows?limit=2", accessToken)).json()) as { next: string; previous: null }
    expect(first.previous).toBeNull()
    const second = await fetch(first.next, { headers: { authorization: `Bearer ${accessToken}` } })
    expect(await second.json()).toMatchObject({ offset: 2, limit: 2, next: null, total: 3, items: [{}] })
  })

  test("total_episodes follows what is published and removed, and a rolling window keeps it", async () => {
    const [growing = "", rolling = ""] = await simulator.client.createSources([
      { provider: "spotify", items: 5 },
      { provider: "spotify", items: 5, rollingWindow: 5 },
    ])
    await simulator.client.subscribe("totals", growing, rolling)
    const sdk = await sdkOf("totals")
    const totals = async () => (await sdk.currentUser.shows.savedShows(50)).items.map(({ show }) => show.total_episodes)
    const [item] = await simulator.client.publish(growing, 2)
    await simulator.client.publish(rolling, 2)
    expect(await totals()).toEqual([5, 7])
    await simulator.client.removeItem(item?.id ?? "")
    expect(await totals()).toEqual([5, 6])
    expect(await simulator.client.items(rolling)).toHaveLength(5)
  })

  test("a show that is gone is 404 and stays in the library", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 1 })
    await simulator.client.subscribe("loyal", show)
    await simulator.client.removeSource(show)
    const sdk = await sdkOf("loyal")
    expect((await sdk.currentUser.shows.savedShows(50)).items.map(({ show }) => show.id)).toEqual([show])
    await expect(sdk.shows.episodes(show, market)).rejects.toThrow("404")
  })
})

describe("episodes", () => {
  test("Spotify's client reads a show, its episodes and one episode", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", title: "Bees", items: 60 })
    const sdk = await sdkOf("listener")
    const found = await sdk.shows.get(show, market)
    expect(found).toMatchObject({ name: "Bees", total_episodes: 60, media_type: "audio", type: "show" })
    const all = [
      ...(await sdk.shows.episodes(show, market, 50, 0)).items,
      ...(await sdk.shows.episodes(show, market, 50, 50)).items,
    ]
    expect(all.map(({ id }) => id)).toEqual((await simulator.client.items(show)).map(({ id }) => id))
    expect(all.every(({ id }) => /^[0-9A-Za-z]{22}$/.test(id))).toBe(true)
    const episode = await sdk.episodes.get(all[0]?.id ?? "", market)
    expect(episode).toMatchObject({ id: all[0]?.id, show: { id: show }, is_playable: true })
  })

  test("what is published comes first and moves everything by one", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 3 })
    const sdk = await sdkOf("mover")
    const before = await sdk.shows.episodes(show, market, 50)
    const published = await simulator.client.publish(show, [{ title: "older" }, { title: "newer" }])
    const after = await sdk.shows.episodes(show, market, 50)
    expect(after.items.slice(0, 2).map(({ id }) => id)).toEqual(published.map(({ id }) => id).reverse())
    expect(after.items.slice(2)).toEqual(before.items)
  })

  test("a listing has holes, unplayable episodes and coarse dates, and never a time of day", async () => {
    const show = await simulator.client.createSource({ provider: "spotify" })
    const publishedAt = Date.UTC(2026, 6, 9, 23, 59)
    const kinds = ["normal", "null", "unplayable", "precision-month", "precision-year"] as const
    await simulator.client.publish(
      show,
      kinds.map((kind) => ({ kind, publishedAt })),
    )
    const { items, total } = await (await sdkOf("odd")).shows.episodes(show, market, 50)
    expect(total).toBe(5)
    expect(items.map((item) => item && [item.release_date, item.release_date_precision, item.is_playable])).toEqual([
      ["2026", "year", true],
      ["2026-07", "month", true],
      ["2026-07-09", "day", false],
      null,
      ["2026-07-09", "day", true],
    ])
  })

  test("an unplayable episode can become playable", async () => {
    const show = await simulator.client.createSource({ provider: "spotify" })
    const [episode] = await simulator.client.publish(show, [{ kind: "unplayable" }])
    await simulator.client.changeItem(episode?.id ?? "", { kind: "normal" })
    const { items } = await (await sdkOf("patient")).shows.episodes(show, market, 50)
    expect(items[0]?.is_playable).toBe(true)
  })

  test("resume points are there only for their scope", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 1 })
    const withScope = await (await sdkOf("resume")).shows.episodes(show, market)
    const without = await (await sdkOf("resume", ["user-library-read"])).shows.episodes(show, market)
    expect(withScope.items[0]?.resume_point).toEqual({ fully_played: false, resume_position_ms: 0 })
    expect(without.items[0]).not.toHaveProperty("resume_point")
  })

  test("an entity tag gives 304 without a body until the show changes", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 2 })
    const { accessToken } = await simulator.client.grant("saver", "spotify")
    const path = `/shows/${show}/episodes?limit=50`
    const etag = (await get(path, accessToken)).headers.get("etag") ?? ""
    const again = await get(path, accessToken, { "if-none-match": etag })
    expect([again.status, await again.text()]).toEqual([304, ""])
    await simulator.client.publish(show, 1)
    expect((await get(path, accessToken, { "if-none-match": etag })).status).toBe(200)
    const asked = await simulator.client.ledger({ person: "saver" })
    expect(asked.map(({ conditional, status }) => [conditional, status])).toEqual([
      [false, 200],
      [true, 304],
      [true, 200],
    ])
  })
})

describe("refusals", () => {
  test("several shows at once are refused, as development mode does since February 2026", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 1 })
    await expect((await sdkOf("several")).shows.get([show], market)).rejects.toThrow("Bad OAuth request")
  })

  test("several shows and episodes at once are answered where the option says so", async () => {
    const own = await startSimulator({ severalEndpoints: true })
    const show = await own.client.createSource({ provider: "spotify", items: 1 })
    const [episode] = await own.client.items(show)
    const sdk = sdkWith((await own.client.grant("several", "spotify")).accessToken, own)
    expect((await sdk.shows.get([show, "0".repeat(22)], market)).map((one) => one?.id)).toEqual([show, undefined])
    expect((await sdk.episodes.get([episode?.id ?? ""], market))[0]?.show.id).toBe(show)
    await own.close()
  })

  test("each refusal has Spotify's shape, status and words", async () => {
    const { accessToken } = await simulator.client.grant("refused", "spotify")
    const { accessToken: unscoped } = await simulator.client.grant("refused", "spotify", { scope: [] })
    const { accessToken: expired } = await simulator.client.grant("refused", "spotify", { expiresInSeconds: -1 })
    const refusal = async (path: string, token: string) => (await get(path, token)).json()
    const error = (status: number, message: string) => ({ error: { status, message } })
    expect(await refusal("/me/shows?limit=51", accessToken)).toEqual(error(400, "Invalid limit"))
    expect(await refusal("/me/shows?limit=0", accessToken)).toEqual(error(400, "Invalid limit"))
    expect(await refusal("/me/shows", expired)).toEqual(error(401, "The access token expired"))
    expect(await refusal("/me/shows", "made up")).toEqual(error(401, "Invalid access token"))
    expect(await refusal("/me/shows", unscoped)).toEqual(error(403, "Insufficient client scope"))
    expect(await refusal("/shows/short/episodes", accessToken)).toEqual(error(400, "Invalid base62 id"))
    expect(await refusal(`/shows/${"0".repeat(22)}`, accessToken)).toEqual(error(404, "Resource not found"))
  })

  test("Spotify's client raises expired tokens and rate limits the way it does for the real service", async () => {
    const show = await simulator.client.createSource({ provider: "spotify", items: 1 })
    const sdk = await sdkOf("raised")
    await simulator.client.setFaults([
      { match: { person: "raised" }, fault: { type: "rate_limited", retryAfterSeconds: 7200 }, times: 1 },
    ])
    await expect(sdk.shows.episodes(show, market)).rejects.toThrow("exceeded its rate limits")
    await simulator.client.expireAccessTokens({ person: "raised", provider: "spotify" })
    await expect(sdk.shows.episodes(show, market)).rejects.toThrow("Bad or expired token")
  })

  test("a rate limit carries Retry-After and may name the quota as its reason", async () => {
    const { accessToken } = await simulator.client.grant("limited", "spotify")
    const reason = "QUOTA_EXCEEDED"
    await simulator.client.setFaults([
      { match: { person: "limited" }, fault: { type: "rate_limited", retryAfterSeconds: 7200, reason }, times: 1 },
    ])
    const response = await get("/me", accessToken)
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7200"])
    expect(await response.json()).toMatchObject({ error: { status: 429, reason } })
  })

  test("the person of a token is who Spotify's client is told it is", async () => {
    expect(await (await sdkOf("someone")).currentUser.profile()).toMatchObject({ id: "someone", type: "user" })
  })
})
