import { afterAll, beforeAll, expect, test } from "vitest"
import type { JsonPatch } from "../../local/simulator/model/faults.ts"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { refreshAt } from "./asking.ts"

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const refreshWith = async (person: string, patch: JsonPatch) => {
  const { refreshToken } = await simulator.client.grant(person, "spotify")
  await simulator.client.setFaults([{ match: { person, kind: "token" }, fault: { type: "patch", patch } }])
  return refreshAt(simulator, "spotify", refreshToken)
}

test.each<[string, JsonPatch]>([
  ["an expires_in below 0", { expires_in: -1 }],
  ["an expires_in of null", [{ path: "/expires_in", value: null }]],
  ["a scope of null", [{ path: "/scope", value: null }]],
  ["an access token that is a number", { access_token: 17 }],
  ["no token type", { token_type: null }],
  ["an empty refresh token", { refresh_token: "" }],
])("oauth4webapi refuses an answer with %s, and the refresh took effect all the same", async (name, patch) => {
  await expect(refreshWith(name, patch)).rejects.toMatchObject({ code: "OAUTH_INVALID_RESPONSE" })
  expect((await simulator.client.tokenState(name, "spotify")).refreshes).toBe(1)
  expect(await simulator.client.ledger({ person: name })).toMatchObject([{ status: 200, fault: "patch" }])
})

test("oauth4webapi takes an answer without a lifetime, with an endless one and with another scope", async () => {
  expect((await refreshWith("none", { expires_in: null })).tokens.expires_in).toBeUndefined()
  expect((await refreshWith("endless", { expires_in: 1e17 })).tokens.expires_in).toBe(1e17)
  expect((await refreshWith("narrower", { scope: "" })).tokens.scope).toBe("")
})
