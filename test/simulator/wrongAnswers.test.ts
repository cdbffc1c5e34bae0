import { afterAll, beforeAll, expect, test } from "vitest"
import type { Fault } from "../../local/simulator/model.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { getWith, refreshAt, refusalOf } from "./asking.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const library = (token: string, init: RequestInit = {}) =>
  getWith(token, `${simulator.client.endpoints.spotify.api}/me/shows`, init)

const personWith = async (person: string, fault: Fault) => {
  const grant = await simulator.client.grant(person, "spotify")
  await simulator.client.setFaults([{ match: { person }, fault, times: 1 }])
  return grant
}

test.each<[string, number | undefined, number]>([
  ["found unless told", undefined, 302],
  ["permanent", 308, 308],
])("a redirect is %s, and the ledger knows the request that followed it", async (name, status, expected) => {
  const location = "/spotify/api/v1/me?x=1#top"
  const fault: Fault = { type: "redirect", location, ...(status === undefined ? {} : { status }) }
  const { accessToken } = await personWith(name, fault)
  expect(await (await library(accessToken)).json()).toMatchObject({ id: name })
  await getWith(accessToken, `${simulator.client.endpoints.spotify.api}/me?x=1`)
  const asked = await simulator.client.ledger({ person: name })
  expect(asked.map(({ path, query, redirected, status }) => [path, query, redirected, status])).toEqual([
    ["/spotify/api/v1/me/shows", {}, undefined, expected],
    ["/spotify/api/v1/me", { x: "1" }, true, 200],
    ["/spotify/api/v1/me", { x: "1" }, undefined, 200],
  ])
})

test("a redirect to another simulator is told in that one's ledger, and what it answers has no trace of it", async () => {
  const other = await startSimulator()
  const { accessToken: known } = await other.client.grant("there", "spotify")
  const location = `${other.client.endpoints.spotify.api}/me/shows`
  const { accessToken } = await personWith("away", { type: "redirect", location, status: 307 })
  const redirect = await library(accessToken, { redirect: "manual" })
  const page = await getWith(known, redirect.headers.get("location") ?? "")
  expect(await page.json()).toMatchObject({ href: `${location}?offset=0&limit=20` })
  expect(await other.client.ledger()).toMatchObject([{ person: "there", redirected: true, query: {} }])
  await other.close()
})

test.each(["", "http://", "https://accounts.example/login?next=%2F", "//"])(
  "a redirect to %j is sent as it was told",
  async (location) => {
    const { accessToken } = await personWith(`to ${location}`, { type: "redirect", location })
    const response = await library(accessToken, { redirect: "manual" })
    expect([response.status, response.headers.get("location")]).toEqual([302, location])
  },
)

test("oauth4webapi follows no redirect from the token endpoint, and nothing is refreshed", async () => {
  const location = simulator.client.endpoints.spotify.token
  const { refreshToken } = await personWith("posted", { type: "redirect", location, status: 307 })
  await expect(refreshAt(simulator, "spotify", refreshToken)).rejects.toMatchObject({
    code: "OAUTH_RESPONSE_IS_NOT_CONFORM",
  })
  expect((await simulator.client.tokenState("posted", "spotify")).refreshes).toBe(0)
})

test("a huge answer is the true one after its blanks, or garbage", async () => {
  const bytes = 200_000
  const { accessToken } = await personWith("huge", { type: "huge", bytes })
  const body = await (await library(accessToken)).text()
  expect(body.length).toBeGreaterThan(bytes)
  expect(JSON.parse(body)).toMatchObject({ total: 0, items: [] })
  await simulator.client.setFaults([
    { match: { person: "huge" }, fault: { type: "huge", bytes, end: "garbage" }, times: 1 },
  ])
  const garbage = await (await library(accessToken)).text()
  expect(garbage).toHaveLength(bytes + "}garbage{".length)
  expect(() => JSON.parse(garbage)).toThrow(SyntaxError)
  expect(await simulator.client.ledger({ person: "huge" })).toMatchObject([
    { status: 200, fault: "huge" },
    { status: 200, fault: "huge" },
  ])
})

test("a million million bytes are sent while they are taken, and end with the client", async () => {
  const { accessToken } = await personWith("endless", { type: "huge", bytes: 1e12 })
  const body = (await library(accessToken)).body?.getReader()
  const { value } = (await body?.read()) ?? {}
  expect(new Set(value)).toEqual(new Set([32]))
  await body?.cancel()
  await simulator.client.waitForRequests({ person: "endless" })
})

test("a refresh with a huge answer takes effect, and oauth4webapi reads what comes after the blanks", async () => {
  const { refreshToken } = await personWith("long", { type: "huge", bytes: 100_000 })
  expect((await refreshAt(simulator, "spotify", refreshToken)).tokens.access_token).toMatch(/^BQsim/)
})

test("304 can come unasked, without a body or an entity tag", async () => {
  const { accessToken } = await personWith("unasked", { type: "not_modified" })
  const response = await library(accessToken)
  expect([response.status, response.headers.get("etag"), await response.text()]).toEqual([304, null, ""])
  expect((await library(accessToken)).status).toBe(200)
})

test("an unasked 304 costs YouTube's unit, as an asked one does", async () => {
  const { accessToken } = await simulator.client.grant("charged", "youtube")
  await simulator.client.setFaults([{ match: { person: "charged" }, fault: { type: "not_modified" } }])
  const url = `${simulator.client.endpoints.youtube.api}/subscriptions?part=id&mine=true`
  expect((await getWith(accessToken, url)).status).toBe(304)
  expect(await simulator.client.counts({ person: "charged" })).toMatchObject({ units: 1, byStatus: { "304": 1 } })
})

test.each([
  ["seconds beyond all clocks", "999999999999"],
  ["an HTTP date", "Wed, 21 Oct 2026 07:28:00 GMT"],
  ["a negative number", "-5"],
  ["words", "soon"],
  ["nothing", ""],
])("Retry-After can be %s", async (name, retryAfter) => {
  const { accessToken, refreshToken } = await personWith(name, { type: "rate_limited", retryAfter })
  const limited = await library(accessToken)
  expect([limited.status, limited.headers.get("retry-after")]).toEqual([429, retryAfter])
  await simulator.client.setFaults([
    { match: { person: name, kind: "token" }, fault: { type: "rate_limited", retryAfter }, times: 1 },
  ])
  expect(await refusalOf(refreshAt(simulator, "spotify", refreshToken))).toBe("429 temporarily_unavailable")
})

test("Retry-After can be left out", async () => {
  const { accessToken } = await personWith("silent", { type: "rate_limited" })
  const limited = await library(accessToken)
  expect([limited.status, limited.headers.has("retry-after")]).toEqual([429, false])
})
