import { env } from "cloudflare:workers"
import { afterEach, expect, it } from "vitest"
import { makeMigration } from "../../../src/migration/makeMigration.ts"
import { Account } from "../../move/account.ts"
import { makeSources, settled } from "../../object/following.ts"
import { simulator } from "../../object/person.ts"
import { bindings } from "../driver.ts"

const credential = "o".repeat(32)
const nobody = () => Promise.reject(new Error("there is no Workflow here"))
const MOVE = { get: nobody, create: nobody, createBatch: nobody, deleteBatch: nobody }

const post = async (path: string, body?: object) => {
  const response = await makeMigration({ ...bindings, MOVE, ADMIN_TOKEN: credential })(
    new Request(`https://pollen.test${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    }),
  )
  return { status: response.status, body: await response.json() }
}

const lastAction = () =>
  env.DB.prepare("SELECT action, detail, outcome FROM operator_actions ORDER BY id DESC LIMIT 1").first()

afterEach(() => simulator.clearFaults())

it("An operator ends a provider's pause of one person, and the audit has it", async () => {
  const person = await settled(await makeSources("spotify", 1), "spotify")
  const fault = { type: "rate_limited", retryAfter: "18000" } as const
  await simulator.setFaults([{ match: { person: person.id, kind: "library" }, fault, times: 1 }])
  await person.pollNow()
  expect(await post(`/v1/people/${person.id}/end-pauses`, { provider: "youtube" })).toEqual({
    status: 200,
    body: { ended: [] },
  })
  expect(await post(`/v1/people/${person.id}/end-pauses`)).toEqual({ status: 200, body: { ended: ["spotify"] } })
  expect(await lastAction()).toEqual({
    action: "endPauses",
    detail: JSON.stringify({ userId: person.id }),
    outcome: "ok",
  })
})

it("An operator ends a pause of an account that D1 holds", async () => {
  const ada = await new Account().connected()
  await ada.has({ refresh_retry_at: Date.now() + 60_000 })
  const ended = await post(`/v1/people/${ada.userId}/end-pauses`, { provider: "spotify" })
  expect(ended).toEqual({ status: 200, body: { ended: ["spotify"] } })
  expect(await ada.row()).toMatchObject({ refresh_retry_at: null })
  expect(await post(`/v1/people/${ada.userId}/end-pauses`)).toMatchObject({ body: { ended: [] } })
})

it("An operator has D1 sent again what it refused of one person, and the audit has it", async () => {
  const person = await settled(await makeSources("spotify", 1), "spotify")
  expect(await post(`/v1/people/${person.id}/redeliver`)).toEqual({
    status: 200,
    body: { delivered: 0, undelivered: 0, setAside: 0 },
  })
  expect(await lastAction()).toMatchObject({ action: "redeliver", outcome: "ok" })
})

it.each(["end-pauses", "redeliver"])("Nothing is done for a person whom D1 does not know: %s", async (path) => {
  expect(await post(`/v1/people/nobody-knows/${path}`)).toMatchObject({ status: 404 })
})
