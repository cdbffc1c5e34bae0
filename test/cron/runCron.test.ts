import { env, exports } from "cloudflare:workers"
import { Effect, Fiber } from "effect"
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

const makeOverdue = (person: Person) =>
  env.DB.prepare("UPDATE durable_object_status SET expected_by = 1 WHERE user_id = ?1").bind(person.id).run()

describe("cron, with real objects", () => {
  it("wakes one that has not been heard from, which reports, and is left alone by the next run", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const person = await new Person().follows(show)
    await person.connects("spotify")
    await person.pollNow()
    await makeOverdue(person)
    const before = await simulator.counts({ person: person.id })

    await Effect.runPromise(runCron(cronEnv))
    expect(await lastRun()).toMatchObject({ found: 1, woken: 1, failed: 0, isComplete: true })
    expect(await expectedBy(person.id)).toBeGreaterThan(Date.now())
    // It looked, and asked the provider nothing: no refresh, no poll.
    expect(await simulator.counts({ person: person.id })).toEqual(before)

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

  it("killed in the middle, leaves to the next run exactly what it has not done", async () => {
    const people = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const person = await new Person().follows(await simulator.createSource({ provider: "spotify", items: 1 }))
        await person.connects("spotify")
        await person.pollNow()
        await makeOverdue(person)
        return person
      }),
    )
    const woken: Array<string> = []
    const stuck = Promise.withResolvers<void>()
    const first = Effect.runFork(
      runCron({
        DB: env.DB,
        CRON_CONCURRENCY: "1",
        CORE: {
          wake: (payload: { readonly userId: string }) => {
            if (woken.length === 2) {
              stuck.resolve()
              return new Promise(() => undefined)
            }
            woken.push(payload.userId)
            return exports.CronEntrypoint.wake(payload)
          },
        } as unknown as typeof cronEnv.CORE,
      }),
    )
    await stuck.promise
    await Effect.runPromise(Fiber.interrupt(first))
    expect(woken).toHaveLength(2)

    await Effect.runPromise(runCron(cronEnv))
    expect(await lastRun()).toMatchObject({ found: 4, woken: 4, failed: 0, isComplete: true })
    for (const { id } of people) expect(await expectedBy(id)).toBeGreaterThan(Date.now())
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
