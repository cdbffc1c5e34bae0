import { afterAll, beforeAll, expect, it, vi } from "vitest"
import { type Simulator, startSimulator } from "../../local/simulator/server/start.ts"
import { startPollenWith } from "../cli/pollen.ts"
import { forever } from "../forever.ts"
import { type OperatorProcess, operatorProcess } from "./operatorProcess.ts"

let simulator: Simulator
let stack: OperatorProcess
beforeAll(async () => {
  simulator = await startSimulator({ seed: 5 })
  stack = await operatorProcess(simulator.client)
})
afterAll(async () => {
  await stack.remove()
  await simulator.close()
})

it("a run whose process is killed in the middle of a page is taken on, ends, and has done every step once", async () => {
  const { client } = simulator
  const ids = Array.from({ length: 8 }, (_, index) => `user-${index}`)
  await client.createPeople(ids.map((id) => ({ id, sources: [] })))
  const grants = await Promise.all(ids.map((id) => client.grant(id, "spotify")))
  const rows = ids.map((id, index) => {
    const grant = grants[index]
    return `('${id}', 'spotify', 1, '${grant?.accessToken}', '${grant?.refreshToken}', ${grant?.expiresAt}, '')`
  })
  await stack.sql(
    `INSERT INTO user_accounts (user_id, provider, updated_at, access_token, refresh_token, expires_at, scope) VALUES ${rows.join(", ")}`,
  )
  await stack.start()
  await stack.ask("PATCH", "/v1/flags/stages/live", { percentage: 100 })
  // The page with user-4 and user-5 is in its hand-over when the process dies.
  const held = await client.hold({ person: "user-4", kind: "library" })
  const { id } = await stack.ask("POST", "/v1/runs", { everybody: true, pageSize: 2, patienceSeconds: 0 })
  await client.waitForHeld(held, 1, forever)
  await stack.kill()
  await client.release(held)
  await stack.start()
  expect(await stack.ask("GET", `/v1/runs/${id}`)).toMatchObject({ state: "running", progress: { taken: 20, pass: 3 } })

  // As the operator does it, who need not know that something was killed.
  const taken = await startPollenWith(stack.environment(), "migrate", "start").outcome
  expect(taken).toMatchObject({ code: 0, err: "" })
  expect(taken.out).toContain(`Run ${id} is under way, and continues`)
  const end = await vi.waitUntil(
    async () => {
      const run = await stack.ask("GET", `/v1/runs/${id}`)
      return run.state === "running" ? undefined : run
    },
    { timeout: forever, interval: 200 },
  )
  expect(end).toMatchObject({
    state: "finished",
    progress: { people: 8, steps: 24, taken: 24, arrived: 8, failures: [] },
  })
  await stack.kill()
  const steps = await stack.sql(
    "SELECT user_id, from_stage, outcome, count(*) AS times FROM token_migration_history GROUP BY 1, 2, 3",
  )
  expect(steps).toHaveLength(24)
  expect(steps.every(({ times, outcome }) => times === 1 && outcome === "migrated")).toBe(true)
  const holders = await stack.sql("SELECT DISTINCT holder, epoch FROM user_accounts")
  expect(holders).toEqual([{ holder: "object", epoch: 2 }])
  // Nothing of a hand-over refreshes a grant: one that is used twice would be lost.
  expect(await client.counts({ kind: "token" })).toMatchObject({ total: 0 })
})
