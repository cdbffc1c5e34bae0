import { SpotifyApi } from "@spotify/web-api-ts-sdk"
import { afterAll, beforeAll, expect, test } from "vitest"
import { SimulatorError } from "../../local/simulator/client.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { getWith, refreshAt, refusalOf } from "./asking.ts"

const second = { id: "second-client", secret: "second-secret" }
const asSecond = { clientId: second.id, secret: second.secret }

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator({ clients: { spotify: [second], youtube: [second] } })
})
afterAll(() => simulator.close())

test.each([
  ["spotify", "400 invalid_grant"],
  ["youtube", "401 unauthorized_client"],
] as const)("a grant of %s refreshes only with the client that it was given to", async (provider, refusal) => {
  const { refreshToken } = await simulator.client.grant("moved", provider, { clientId: second.id })
  const before = await simulator.client.tokenState("moved", provider)
  expect(await refusalOf(refreshAt(simulator, provider, refreshToken))).toBe(refusal)
  expect(await simulator.client.tokenState("moved", provider)).toEqual(before)
  expect(await refusalOf(refreshAt(simulator, provider, refreshToken, asSecond))).toBe("accepted")
  const { refreshToken: first } = await simulator.client.grant("moved", provider)
  expect(await refusalOf(refreshAt(simulator, provider, first, asSecond))).toBe(refusal)
})

test.each([
  ["spotify", "400 invalid_client"],
  ["youtube", "401 invalid_client"],
] as const)("a removed client of %s is unknown until it is added again", async (provider, refusal) => {
  const own = await startSimulator()
  await own.client.addClients(provider, second)
  const { refreshToken } = await own.client.grant("stranded", provider, { clientId: second.id })
  const attempt = () => refusalOf(refreshAt(own, provider, refreshToken, asSecond))
  await own.client.removeClient(provider, second.id)
  expect(await attempt()).toBe(refusal)
  await expect(own.client.grant("stranded", provider, { clientId: second.id })).rejects.toThrow(SimulatorError)
  await own.client.addClients(provider, { ...second, secret: "another" })
  expect(await attempt()).toBe(refusal)
  await own.client.addClients(provider, second)
  expect(await attempt()).toBe("accepted")
  await own.close()
})

test("a code is exchanged only by the client that asked for it", async () => {
  const { authorize, token } = simulator.client.endpoints.spotify
  const redirect_uri = "https://pollen.example/callback"
  const exchange = async (client: typeof second) => {
    const page = { client_id: second.id, redirect_uri, response_type: "code", person: "asked" }
    const { headers } = await fetch(`${authorize}?${new URLSearchParams(page)}`, { redirect: "manual" })
    const code = new URL(headers.get("location") ?? "").searchParams.get("code") ?? ""
    const credentials = { client_id: client.id, client_secret: client.secret }
    const body = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri, ...credentials })
    const response = await fetch(token, { method: "POST", body })
    return response.status
  }
  expect(await exchange({ id: "simulator-client", secret: "simulator-secret" })).toBe(400)
  expect(await exchange(second)).toBe(200)
})

test("the ledger tells which client a token request named, known or not", async () => {
  const { refreshToken } = await simulator.client.grant("noted", "spotify", { clientId: second.id })
  const headers = { authorization: `Basic ${btoa("a%20stranger:%")}` }
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken })
  await refreshAt(simulator, "spotify", refreshToken, asSecond)
  await fetch(simulator.client.endpoints.spotify.token, { method: "POST", headers, body })
  await fetch(simulator.client.endpoints.spotify.token, { method: "POST", body })
  const asked = await simulator.client.ledger({ person: "noted" })
  expect(asked.map(({ clientId, status }) => [clientId, status])).toEqual([
    ["second-client", 200],
    ["a stranger", 400],
    [undefined, 400],
  ])
})

test("a client in development mode logs anybody in, and the API answers only the people on its list", async () => {
  const own = await startSimulator()
  await own.client.addClients("spotify", { ...second, allowList: ["ann"] })
  const profile = async (person: string) => {
    const { refreshToken } = await own.client.grant(person, "spotify", { clientId: second.id })
    const { tokens } = await refreshAt(own, "spotify", refreshToken, asSecond)
    const response = await getWith(tokens.access_token, `${own.client.endpoints.spotify.api}/me`)
    return [response.status, await response.text()]
  }
  expect(await profile("ann")).toEqual([200, expect.stringContaining('"ann"')])
  expect(await profile("ben")).toEqual([403, "User not registered in the Developer Dashboard"])
  await own.client.addClients("spotify", { ...second, allowList: ["ann", "ben"] })
  expect(await profile("ben")).toEqual([200, expect.stringContaining('"ben"')])
  await own.close()
})

test("Spotify's client raises the refusal of a person who is not on the list", async () => {
  await simulator.client.addClients("spotify", { id: "small", secret: "s", allowList: [] })
  const { accessToken } = await simulator.client.grant("stranger", "spotify", { clientId: "small" })
  const tokens = { access_token: accessToken, token_type: "Bearer", expires_in: 3600, refresh_token: "" }
  const sdk = SpotifyApi.withAccessToken("small", tokens, {
    fetch: (input, init) =>
      fetch(String(input).replace("https://api.spotify.com/v1", simulator.client.endpoints.spotify.api), init),
  })
  await expect(sdk.currentUser.shows.savedShows(50)).rejects.toThrow("User not registered")
})

test("a client in development mode has five people at most, and only Spotify has the mode", async () => {
  const allowList = ["1", "2", "3", "4", "5", "6"]
  await expect(simulator.client.addClients("spotify", { ...second, allowList })).rejects.toThrow("more than 5 people")
  await expect(simulator.client.addClients("youtube", { ...second, allowList: [] })).rejects.toThrow("no allow-list")
  await expect(startSimulator({ clients: { spotify: [{ ...second, allowList }] } })).rejects.toThrow(
    "more than 5 people",
  )
})

test("clients of one developer share a quota and a rate limit, and other clients have their own", async () => {
  const own = await startSimulator()
  const developer = "dev"
  await own.client.addClients("spotify", { ...second, developer }, { id: "third", secret: "t", developer })
  const [asSecondClient, asThird, asFirst] = await own.client.grants(
    [second.id, "third", "simulator-client"].map((clientId) => ({ person: "ann", provider: "spotify", clientId })),
  )
  const ask = async (grant: { readonly accessToken: string } | undefined) => {
    const response = await getWith(grant?.accessToken ?? "", `${own.client.endpoints.spotify.api}/me`)
    const answer: unknown = await response.json()
    return [response.status, answer]
  }
  await own.client.setQuota({ provider: "spotify", developer, remaining: 1 })
  expect(await ask(asSecondClient)).toMatchObject([200, {}])
  expect(await ask(asThird)).toMatchObject([429, { error: { reason: "QUOTA_EXCEEDED" } }])
  expect(await ask(asFirst)).toMatchObject([200, {}])
  expect(await own.client.quota("spotify", developer)).toMatchObject({ remaining: 0, spent: 1 })
  expect(await own.client.quota("spotify")).toMatchObject({ remaining: null, spent: 1 })
  await own.client.setQuota({ provider: "spotify", developer, remaining: null })
  await own.client.setRateLimit({ provider: "spotify", developer, requestsPer30s: 1 })
  const statuses = [await ask(asThird), await ask(asSecondClient), await ask(asFirst)].map(([status]) => status)
  expect(statuses).toEqual([200, 429, 200])
  await own.close()
})
