import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { runCron } from "../../src/cron/runCron.ts"
import { Person, simulator } from "../object/person.ts"

const cronEnv = { CORE: exports.CronEntrypoint, DB: env.DB }

const expectedBy = (userId: string) =>
  env.DB.prepare("SELECT expected_by FROM durable_object_status WHERE user_id = ?1")
    .bind(userId)
    .first<number>("expected_by")

const lastRun = async () => {
  const query = "SELECT figures FROM durable_object_metrics WHERE kind = 'cron_run' ORDER BY id DESC LIMIT 1"
  return JSON.parse((await env.DB.prepare(query).first<string>("figures")) ?? "null")
}

describe("cron, with real objects", () => {
  it("wakes one that has not been heard from, which reports, and is left alone by the next run", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const person = await new Person().follows(show)
    await person.connects("spotify")
    await person.pollNow()
    await env.DB.prepare("UPDATE durable_object_status SET expected_by = 1 WHERE user_id = ?1").bind(person.id).run()

    await Effect.runPromise(runCron(cronEnv))
    expect(await lastRun()).toMatchObject({ found: 1, woken: 1, failed: 0, isComplete: true })
    expect(await expectedBy(person.id)).toBeGreaterThan(Date.now())

    await Effect.runPromise(runCron(cronEnv))
    expect(await lastRun()).toMatchObject({ found: 0, isComplete: true })
  })

  it("wakes one of which nothing was ever heard", async () => {
    const person = await new Person().follows(await simulator.createSource({ provider: "spotify", items: 1 }))
    await person.connects("spotify")
    await person.pollNow()
    await env.DB.batch([
      env.DB.prepare("DELETE FROM durable_object_status WHERE user_id = ?1").bind(person.id),
      env.DB.prepare("UPDATE user_accounts SET updated_at = 1 WHERE user_id = ?1").bind(person.id),
    ])
    await Effect.runPromise(runCron(cronEnv))
    expect(await lastRun()).toMatchObject({ found: 1, woken: 1 })
    expect(await expectedBy(person.id)).toBeGreaterThan(Date.now())
  })

  it.each([
    [{ CRON_PAGE_SIZE: "0" }, "CRON_PAGE_SIZE"],
    [{ CRON_CONCURRENCY: "many" }, "CRON_CONCURRENCY"],
    [{ CRON_TIME_LIMIT: "20 minutes" }, "CRON_TIME_LIMIT"],
  ])("says which setting is wrong: %j", async (variables, name) => {
    const error = await Effect.runPromise(Effect.flip(runCron({ ...cronEnv, ...variables })))
    expect(error).toMatchObject({ _tag: "Misconfigured", message: expect.stringContaining(name) })
  })
})
