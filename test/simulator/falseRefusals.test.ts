import { afterAll, beforeAll, expect, test } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { getWith, refreshAt, refusalOf } from "./asking.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

test.each(["spotify", "youtube"] as const)(
  "an outage of %s refuses a good grant as if it were revoked, so many times, and then takes it",
  async (provider) => {
    const { refreshToken } = await simulator.client.grant("wronged", provider)
    const before = await simulator.client.tokenState("wronged", provider)
    await simulator.client.setFaults([
      { match: { person: "wronged", provider }, fault: { type: "invalid_grant" }, times: 2 },
    ])
    const attempt = () => refusalOf(refreshAt(simulator, provider, refreshToken))
    expect([await attempt(), await attempt()]).toEqual(["400 invalid_grant", "400 invalid_grant"])
    expect(await simulator.client.tokenState("wronged", provider)).toEqual(before)
    expect(await attempt()).toBe("accepted")
    const asked = await simulator.client.ledger({ person: "wronged", provider })
    expect(asked.map(({ fault }) => fault)).toEqual(["invalid_grant", "invalid_grant", undefined])
  },
)

test("a false refusal is worded as a true one", async () => {
  const [wronged, revoked] = await simulator.client.grants([
    { person: "words", provider: "spotify" },
    { person: "words truly", provider: "spotify" },
  ])
  await simulator.client.setFaults([{ match: { person: "words" }, fault: { type: "invalid_grant" } }])
  await simulator.client.revoke("words truly", "spotify")
  const answer = async (refreshToken = "") => {
    const body = new URLSearchParams({
      ...{ grant_type: "refresh_token", refresh_token: refreshToken },
      ...{ client_id: "simulator-client", client_secret: "simulator-secret" },
    })
    const response = await fetch(simulator.client.endpoints.spotify.token, { method: "POST", body })
    return [response.status, await response.json(), response.headers.get("cache-control")]
  }
  expect(await answer(wronged?.refreshToken)).toEqual(await answer(revoked?.refreshToken))
})

test("an outage can last for a time of the simulator's clock, and leaves the API alone", async () => {
  const own = await startSimulator()
  const { accessToken, refreshToken } = await own.client.grant("anyone", "spotify")
  await own.client.setFaults([{ match: {}, fault: { type: "invalid_grant" }, forMs: 600_000 }])
  const attempt = () => refusalOf(refreshAt(own, "spotify", refreshToken))
  expect(await attempt()).toBe("400 invalid_grant")
  expect((await getWith(accessToken, `${own.client.endpoints.spotify.api}/me/shows`)).status).toBe(200)
  await own.client.advanceClock(600_000)
  expect(await attempt()).toBe("accepted")
  await own.close()
})
