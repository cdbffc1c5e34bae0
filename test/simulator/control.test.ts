import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { SimulatorError } from "../../local/simulator/client.ts"
import type { Fault } from "../../local/simulator/model.ts"
import { type Simulator, SimulatorStartError, startSimulator } from "../../local/simulator/server/start.ts"
import { nextPacificMidnight } from "../../local/simulator/server/state/pacific.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const spotifyLibrary = (at: Simulator, token: string, signal?: AbortSignal) =>
  fetch(`${at.client.endpoints.spotify.api}/me/shows`, {
    headers: { authorization: `Bearer ${token}` },
    signal: signal ?? null,
  })

const youtubeLibrary = (at: Simulator, token: string) =>
  fetch(`${at.client.endpoints.youtube.api}/subscriptions?part=id&mine=true`, {
    headers: { authorization: `Bearer ${token}` },
  })

const reasonOf = async (response: Response): Promise<string | undefined> =>
  ((await response.json()) as { error?: { errors?: ReadonlyArray<{ reason: string }> } }).error?.errors?.[0]?.reason

describe("starting and ending", () => {
  test("a port that is taken is said so", async () => {
    const port = Number(new URL(simulator.url).port)
    await expect(startSimulator({ port })).rejects.toThrow(SimulatorStartError)
    await expect(startSimulator({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`)
  })

  test("closing ends requests that hang and requests that are held", async () => {
    const own = await startSimulator()
    const { accessToken } = await own.client.grant("hung", "spotify")
    const { accessToken: other } = await own.client.grant("held", "spotify")
    await own.client.setFaults([{ match: { person: "hung" }, fault: { type: "hang" } }])
    const gate = await own.client.hold({ person: "held" })
    const both = Promise.allSettled([spotifyLibrary(own, accessToken), spotifyLibrary(own, other)])
    await own.client.waitForHeld(gate)
    await own.close()
    expect((await both).map(({ status }) => status)).toEqual(["rejected", "rejected"])
  })

  test("reset forgets everything but the secrets", async () => {
    const own = await startSimulator()
    const { accessToken, refreshToken } = await own.client.grant("ann", "spotify")
    await own.client.setFaults([{ match: {}, fault: { type: "reset" } }])
    await own.client.reset()
    expect((await spotifyLibrary(own, accessToken)).status).toBe(401)
    expect(await own.client.ledger()).toHaveLength(1)
    expect(await own.client.secrets()).toEqual([accessToken, refreshToken])
    await own.close()
  })

  test("an instruction that cannot be followed is refused with its reason", async () => {
    await expect(simulator.client.publish("nothing", 1)).rejects.toThrow(SimulatorError)
    await expect(simulator.client.publish("nothing", 1)).rejects.toThrow("no source nothing")
    const show = await simulator.client.createSource({ provider: "spotify" })
    await expect(simulator.client.publish(show, [{ kind: "upcoming" }])).rejects.toThrow("no items of kind upcoming")
  })

  test("the same seed gives the same ids", async () => {
    const idOf = async (seed: number) => {
      const own = await startSimulator({ seed })
      const id = await own.client.createSource({ provider: "youtube" })
      await own.close()
      return id
    }
    expect(await idOf(7)).toBe(await idOf(7))
    expect(await idOf(7)).not.toBe(await idOf(8))
  })
})

describe("seeding", () => {
  test("each person gets the shows and channels asked for, a part of them in common", async () => {
    const input = { people: 3, showsEach: 4, channelsEach: 2, itemsEach: 10, sharedFraction: 0.5 }
    const people = await simulator.client.seed(input)
    expect(people.map(({ shows, channels }) => [shows.length, channels.length])).toEqual([
      [4, 2],
      [4, 2],
      [4, 2],
    ])
    expect(new Set(people.flatMap(({ shows }) => shows)).size).toBe(2 + 3 * 2)
    const [more] = await simulator.client.seed({ ...input, people: 1 })
    expect(people.map(({ id }) => id)).not.toContain(more?.id)
  })

  test("many people with large archives are made at once", async () => {
    const people = await simulator.client.seed({ people: 500, showsEach: 10, channelsEach: 10, itemsEach: 1000 })
    expect(people).toHaveLength(500)
    const published = await simulator.client.publishMany(
      people.flatMap(({ shows }) => shows.slice(0, 1).map((source) => ({ source, count: 2 }))).slice(0, 20),
    )
    expect(published.every((items) => items.length === 2)).toBe(true)
  })
})

describe("the ledger", () => {
  test("it has every request of a person in order, and nobody else's", async () => {
    const { accessToken, refreshToken } = await simulator.client.grant("noted", "spotify")
    const show = await simulator.client.createSource({ provider: "spotify", items: 1 })
    const authorization = `Bearer ${accessToken}`
    const { endpoints } = simulator.client
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: "simulator-client",
    })
    await spotifyLibrary(simulator, accessToken)
    await fetch(`${endpoints.spotify.api}/shows/${show}/episodes?limit=1`, { headers: { authorization } })
    await fetch(`${endpoints.spotify.api}/shows/${show}`, { headers: { authorization } })
    await fetch(endpoints.spotify.token, { method: "POST", body })
    const entries = await simulator.client.ledger({ person: "noted" })
    expect(entries.map(({ kind, method, status }) => [kind, method, status])).toEqual([
      ["library", "GET", 200],
      ["items", "GET", 200],
      ["details", "GET", 200],
      ["token", "POST", 200],
    ])
    expect(entries[1]).toMatchObject({ path: `/spotify/api/v1/shows/${show}/episodes`, query: { limit: "1" } })
    const since = entries[1]?.seq ?? 0
    expect(await simulator.client.counts({ person: "noted", since })).toMatchObject({
      total: 2,
      byKind: { details: 1, token: 1 },
      byStatus: { "200": 2 },
      byProvider: { spotify: 2 },
    })
    await simulator.client.clearLedger("noted")
    expect(await simulator.client.ledger({ person: "noted" })).toEqual([])
  })

  test("a request with a dead token is still its person's", async () => {
    const { accessToken } = await simulator.client.grant("dead", "spotify")
    await simulator.client.revoke("dead", "spotify")
    await spotifyLibrary(simulator, accessToken)
    expect(await simulator.client.ledger({ person: "dead" })).toMatchObject([{ status: 401 }])
  })

  test("an unknown path is 404 and is written down", async () => {
    const own = await startSimulator()
    expect((await fetch(`${own.url}/spotify/api/v2/nothing`)).status).toBe(404)
    expect((await fetch(`${own.url}/elsewhere`)).status).toBe(404)
    expect(await own.client.ledger()).toMatchObject([
      { path: "/spotify/api/v2/nothing", provider: "spotify", kind: "other", status: 404 },
      { path: "/elsewhere", provider: null, kind: "other", status: 404 },
    ])
    await own.close()
  })

  test("no token is ever written into it", async () => {
    const own = await startSimulator()
    const { accessToken } = await own.client.grant("secret", "spotify")
    await spotifyLibrary(own, accessToken)
    const text = JSON.stringify(await own.client.ledger())
    expect((await own.client.secrets()).some((secret) => text.includes(secret))).toBe(false)
    await own.close()
  })
})

describe("gates", () => {
  test("a held request waits for its release, and others pass", async () => {
    const { accessToken } = await simulator.client.grant("parked", "spotify")
    const { accessToken: other } = await simulator.client.grant("passing", "spotify")
    const gate = await simulator.client.hold({ person: "parked", kind: "library" })
    const parked = [spotifyLibrary(simulator, accessToken), spotifyLibrary(simulator, accessToken)]
    await simulator.client.waitForHeld(gate, 2)
    expect((await spotifyLibrary(simulator, other)).status).toBe(200)
    expect((await simulator.client.ledger({ person: "parked" })).map(({ status }) => status)).toEqual([0, 0])
    await simulator.client.release(gate)
    expect((await Promise.all(parked)).map(({ status }) => status)).toEqual([200, 200])
    expect(await simulator.client.maxConcurrent({ person: "parked" })).toBe(2)
    expect(await simulator.client.maxConcurrent({ person: "passing" })).toBe(1)
  })

  test("an answer can be held after a refresh has taken effect", async () => {
    const { refreshToken } = await simulator.client.grant("midway", "spotify")
    const gate = await simulator.client.hold({ person: "midway", kind: "token" }, { afterProcessing: true })
    const body = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: refreshToken,
      client_id: "simulator-client",
    })
    const refreshing = fetch(simulator.client.endpoints.spotify.token, { method: "POST", body })
    await simulator.client.waitForHeld(gate)
    expect((await simulator.client.tokenState("midway", "spotify")).refreshes).toBe(1)
    await simulator.client.release(gate)
    expect((await refreshing).status).toBe(200)
  })

  test("a client that gives up takes its request with it", async () => {
    const { accessToken } = await simulator.client.grant("impatient", "spotify")
    const gate = await simulator.client.hold({ person: "impatient" })
    const leaving = new AbortController()
    const request = spotifyLibrary(simulator, accessToken, leaving.signal)
    await simulator.client.waitForHeld(gate)
    leaving.abort()
    await expect(request).rejects.toThrow()
    await simulator.client.waitForRequests({ person: "impatient" })
    await simulator.client.release(gate)
    expect(await simulator.client.ledger({ person: "impatient" })).toMatchObject([{ status: 0 }])
  })

  test("waiting for what does not come ends with an error that says what was there", async () => {
    const gate = await simulator.client.hold({ person: "nobody" })
    await expect(simulator.client.waitForHeld(gate, 2, 1)).rejects.toThrow("holds 0 of 2")
  })
})

describe("faults", () => {
  test("a fault for one person leaves the others alone and ends after its times", async () => {
    const { accessToken } = await simulator.client.grant("unlucky", "spotify")
    const { accessToken: other } = await simulator.client.grant("lucky", "spotify")
    await simulator.client.setFaults([
      { match: { person: "unlucky", path: "/me/shows" }, fault: { type: "status", status: 502 }, times: 2 },
    ])
    const statuses = async (token: string) => {
      const seen: Array<number> = []
      for (let request = 0; request < 3; request++) seen.push((await spotifyLibrary(simulator, token)).status)
      return seen
    }
    expect(await statuses(other)).toEqual([200, 200, 200])
    expect(await statuses(accessToken)).toEqual([502, 502, 200])
    expect((await simulator.client.ledger({ person: "unlucky" })).map(({ fault }) => fault)).toEqual([
      "status",
      "status",
      undefined,
    ])
  })

  test.each<[string, Fault, RegExp | number]>([
    ["a reset is no answer at all", { type: "reset" }, /fetch failed/],
    ["a truncated answer ends before its announced length", { type: "truncated" }, /terminated/],
    ["HTML is no JSON", { type: "html" }, /JSON/],
    ["a slow answer is the true one", { type: "slow", ms: 1 }, 200],
    ["a body of one's own is sent as it is", { type: "status", status: 418, body: { tea: true } }, 418],
  ])("%s", async (name, fault, expected) => {
    const { accessToken } = await simulator.client.grant(name, "spotify")
    const [id = ""] = await simulator.client.setFaults([{ match: { person: name }, fault }])
    const read = async () => {
      const response = await spotifyLibrary(simulator, accessToken)
      await response.json()
      return response.status
    }
    if (typeof expected === "number") expect(await read()).toBe(expected)
    else await expect(read()).rejects.toThrow(expected)
    await simulator.client.clearFaults([id])
    expect(await read()).toBe(200)
  })

  test("a hanging request ends when its client gives up", async () => {
    const { accessToken } = await simulator.client.grant("hanging", "spotify")
    await simulator.client.setFaults([{ match: { person: "hanging" }, fault: { type: "hang" } }])
    await expect(spotifyLibrary(simulator, accessToken, AbortSignal.timeout(5))).rejects.toThrow()
    await simulator.client.waitForRequests({ person: "hanging" })
    expect(await simulator.client.ledger({ person: "hanging" })).toMatchObject([{ status: 0, fault: "hang" }])
  })

  test("random faults hit about the part asked for, and always the same requests for the same seed", async () => {
    const pattern = async () => {
      const own = await startSimulator({ seed: 3 })
      const { accessToken } = await own.client.grant("random", "spotify")
      await own.client.randomFaults({ rate: 0.3, kinds: ["status", "html"], match: { person: "random" } })
      for (let request = 0; request < 200; request++) await (await spotifyLibrary(own, accessToken)).text()
      const faults = (await own.client.ledger()).map(({ fault }) => fault ?? "none")
      await own.close()
      return faults
    }
    const faults = await pattern()
    expect(await pattern()).toEqual(faults)
    const hits = faults.filter((fault) => fault !== "none").length
    expect(hits).toBeGreaterThan(35)
    expect(hits).toBeLessThan(85)
    expect(new Set(faults)).toEqual(new Set(["none", "status", "html"]))
  })
})

describe("quota and rate limits", () => {
  test("a quota runs out, is refused without a charge, and starts anew at midnight Pacific", async () => {
    const own = await startSimulator()
    const { accessToken } = await own.client.grant("thrifty", "youtube", { expiresInSeconds: 10 * 86_400 })
    // The evening before summer time ends: the day has 25 hours.
    await own.client.setClock(Date.UTC(2026, 10, 1, 6, 0))
    await own.client.setQuota({ provider: "youtube", remaining: 2 })
    const ask = async () => reasonOf(await youtubeLibrary(own, accessToken))
    expect([await ask(), await ask(), await ask()]).toEqual([undefined, undefined, "quotaExceeded"])
    expect((await own.client.counts({ provider: "youtube" })).units).toBe(2)
    const { resetsAt } = await own.client.quota("youtube")
    expect(resetsAt).toBe(Date.UTC(2026, 10, 1, 7, 0))
    await own.client.setClock(resetsAt)
    expect(await ask()).toBeUndefined()
    expect(await own.client.quota("youtube")).toEqual({
      remaining: 9_999,
      resetsAt: Date.UTC(2026, 10, 2, 8, 0),
      spent: 1,
    })
    await own.close()
  })

  test("without a quota set, heavy use is not refused but still counted", async () => {
    const own = await startSimulator()
    const { accessToken } = await own.client.grant("heavy", "youtube")
    expect((await youtubeLibrary(own, accessToken)).status).toBe(200)
    expect(await own.client.quota("youtube")).toMatchObject({ remaining: null, spent: 1 })
    await own.close()
  })

  test.each([
    ["in winter", Date.UTC(2026, 0, 15, 12), Date.UTC(2026, 0, 16, 8)],
    ["in summer", Date.UTC(2026, 6, 15, 12), Date.UTC(2026, 6, 16, 7)],
    ["on the day that has 23 hours", Date.UTC(2026, 2, 8, 8), Date.UTC(2026, 2, 9, 7)],
    ["on the day that has 25 hours", Date.UTC(2026, 10, 1, 7), Date.UTC(2026, 10, 2, 8)],
    ["a millisecond before midnight", Date.UTC(2026, 6, 15, 7) - 1, Date.UTC(2026, 6, 15, 7)],
    ["at the turn of the year", Date.UTC(2027, 0, 1, 7, 59), Date.UTC(2027, 0, 1, 8)],
  ])("midnight Pacific is right %s", (_, at, midnight) => {
    expect(nextPacificMidnight(at)).toBe(midnight)
  })

  test("a rate limit is of all people together, says when there is room, and rolls", async () => {
    const own = await startSimulator()
    const { accessToken: ann } = await own.client.grant("ann", "spotify")
    const { accessToken: ben } = await own.client.grant("ben", "spotify")
    const start = Date.UTC(2026, 5, 1)
    await own.client.setClock(start)
    const { accessToken: later } = await own.client.grant("ann", "spotify")
    await own.client.setRateLimit({ provider: "spotify", requestsPer30s: 2 })
    expect((await spotifyLibrary(own, ann)).status).toBe(200)
    expect((await spotifyLibrary(own, ben)).status).toBe(200)
    const refused = await spotifyLibrary(own, later)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0)
    await own.client.advanceClock(30_000)
    expect((await spotifyLibrary(own, later)).status).toBe(200)
    await own.client.setRateLimit({ provider: "spotify", requestsPer30s: null })
    expect((await own.client.ledger()).map(({ fault }) => fault)).toEqual([
      undefined,
      undefined,
      "rate_limit",
      undefined,
    ])
    await own.close()
  })

  test("Spotify's quota is refused with its reason", async () => {
    const own = await startSimulator()
    const { accessToken } = await own.client.grant("ann", "spotify")
    await own.client.setQuota({ provider: "spotify", remaining: 0 })
    const refused = await spotifyLibrary(own, accessToken)
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: { reason: "QUOTA_EXCEEDED" } })
    await own.close()
  })

  test("an access token expires by the simulator's clock", async () => {
    const own = await startSimulator({ accessTokenLifetimeSeconds: 60 })
    const { accessToken } = await own.client.grant("ann", "spotify")
    await own.client.advanceClock(60_000)
    expect(await (await spotifyLibrary(own, accessToken)).json()).toEqual({
      error: { status: 401, message: "The access token expired" },
    })
    await own.close()
  })
})
