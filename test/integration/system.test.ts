import { afterAll, beforeAll, expect, it } from "vitest"
import { type System, startSystem } from "./system.ts"

let system: System
beforeAll(async () => {
  system = await startSystem()
})
afterAll(() => system.close())

it("takes what is published through gateway, core, object and D1 into the person's feed, once", async () => {
  const { simulator, ask } = system
  const [show, channel] = [
    await simulator.createSource({ provider: "spotify", items: 30 }),
    await simulator.createSource({ provider: "youtube", items: 30 }),
  ]
  await simulator.createPeople([{ id: "ada", sources: [show, channel] }])
  for (const provider of ["spotify", "youtube"] as const) {
    const set = await ask("ada", "PUT", `/v1/accounts/${provider}/token`, await simulator.grant("ada", provider))
    expect(set.status).toBe(200)
  }
  expect((await ask("ada", "POST", "/v1/poll")).status).toBe(200)
  const published = [...(await simulator.publish(show, 2)), ...(await simulator.publish(channel, 2))]
  await ask("ada", "POST", "/v1/poll")
  await ask("ada", "POST", "/v1/poll")
  const { results } = await system.database
    .prepare("SELECT external_id AS id FROM user_feed_items WHERE user_id = 'ada' AND is_backfill = 0")
    .all<{ readonly id: string }>()
  expect(results.map(({ id }) => id).sort()).toEqual(published.map(({ id }) => id).sort())
})

it("wakes an object that has gone silent: the cron run finds exactly the overdue, and the object reports again", async () => {
  const { database, harness } = system
  await database.prepare("UPDATE durable_object_status SET expected_by = 1 WHERE user_id = 'ada'").run()
  await harness.getWorker("pollen-cron").scheduled({ cron: "*/30 * * * *" })
  const status = await database
    .prepare("SELECT expected_by AS expectedBy FROM durable_object_status WHERE user_id = 'ada'")
    .first<{ readonly expectedBy: number }>()
  expect(status?.expectedBy).toBeGreaterThan(Date.now())
  const run = await database
    .prepare("SELECT figures FROM durable_object_metrics WHERE kind = 'cron_run' ORDER BY id DESC LIMIT 1")
    .first<{ readonly figures: string }>()
  expect(JSON.parse(run?.figures ?? "{}")).toMatchObject({ found: 1, woken: 1, failed: 0, isComplete: true })
})

it("leaves no RPC stub undisposed and no token in any log of any worker", async () => {
  const logs = system.harness.getLogs().map((log) => JSON.stringify(log))
  expect(logs.filter((line) => line.includes("not disposed properly"))).toEqual([])
  const secrets = await system.simulator.secrets()
  expect(secrets.length).toBeGreaterThan(0)
  expect(logs.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
})
