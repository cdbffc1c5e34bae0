import { afterAll, beforeAll, describe, expect, it } from "vitest"
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

describe("A caller in another worker, over its service binding", () => {
  const asked = async (deed: string, user = "ada") => {
    const response = await system.harness.getWorker("caller").fetch(`http://caller/${deed}?user=${user}`)
    return response.json()
  }

  it("gets a tagged error of the object as an instance of its class, with its fields", async () => {
    expect(await asked("refresh", "nobody-yet")).toMatchObject({
      isOfClass: true,
      error: { _tag: "AccountNotConnected", provider: "youtube" },
    })
  })

  it("gets InvalidRequest with the field's path for a payload that the contract does not allow", async () => {
    expect(await asked("bad")).toMatchObject({
      isOfClass: true,
      error: { _tag: "InvalidRequest", method: "getStatus", issues: [{ path: "userId" }] },
    })
  })

  it("is told of every source that a poll finishes, by its own function", async () => {
    const show = await system.simulator.createSource({ provider: "spotify", items: 3 })
    await system.simulator.subscribe("ada", show)
    await asked("poll")
    for (let round = 0; round < 20; round += 1) {
      await system.simulator.publish(show, 1)
      expect(await asked("poll")).toMatchObject({ summary: { delivered: 1 }, progress: [{ sourceId: show }] })
    }
  })
})

describe("The binding of", () => {
  it.each([
    ["pollen-gateway", ["exportTokens", "importTokens", "handBack", "wake"], "getStatus"],
    ["pollen-cron", ["exportTokens", "handBack", "setToken", "removeToken", "pollNow", "forget"], "wake"],
  ])("%s, as its wrangler.toml has it, carries nothing beyond its entrypoint", async (worker, refused, carried) => {
    const { CORE } = await system.harness.getWorker<{ readonly CORE: object }>(worker).getEnv()
    const invoke = async (method: string) => {
      const member: unknown = Reflect.get(CORE, method)
      return typeof member === "function" ? Reflect.apply(member, CORE, [{ userId: "ada" }]) : undefined
    }
    for (const method of refused) {
      await expect(invoke(method)).rejects.toThrow(`does not implement the method "${method}"`)
    }
    await expect(invoke(carried)).resolves.toBeDefined()
  })
})

it("leaves no RPC stub undisposed and no token in any log of any worker", async () => {
  const logs = system.harness.getLogs().map((log) => JSON.stringify(log))
  expect(logs.filter((line) => line.includes("not disposed properly"))).toEqual([])
  const secrets = await system.simulator.secrets()
  expect(secrets.length).toBeGreaterThan(0)
  expect(logs.filter((line) => secrets.some((secret) => line.includes(secret)))).toEqual([])
})
