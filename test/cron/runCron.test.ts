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

  it("lets go of figures that are older than the operator keeps them, of every kind, some at a time", async () => {
    const day = 24 * 3_600_000
    const old = Array.from({ length: 250 }, (_, index) => [index % 2 === 0 ? "cron_run" : "other_run", 91] as const)
    const ages = [...old, ["other_run", 89] as const]
    const insert = env.DB.prepare("INSERT INTO durable_object_metrics (kind, at, figures) VALUES (?1, ?2, '{}')")
    await env.DB.prepare("DELETE FROM durable_object_metrics").run()
    await env.DB.batch(ages.map(([kind, days]) => insert.bind(kind, Date.now() - days * day)))
    const left = () =>
      env.DB.prepare("SELECT count(*) AS old FROM durable_object_metrics WHERE at < ?1")
        .bind(Date.now() - 60 * day)
        .first<number>("old")
    await Effect.runPromise(runCron({ ...cronEnv, METRICS_RETENTION: "92 days" }))
    expect(await left()).toBe(251)
    await Effect.runPromise(runCron(cronEnv))
    expect(await left()).toBeLessThan(251)
    expect(await left()).toBeGreaterThan(1)
    for (let runs = 0; runs < 3; runs += 1) await Effect.runPromise(runCron(cronEnv))
    expect(await left()).toBe(1)
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
    [{ METRICS_RETENTION: "1 hour" }, "METRICS_RETENTION"],
  ])("says which setting is wrong: %j", async (variables, name) => {
    const error = await Effect.runPromise(Effect.flip(runCron({ ...cronEnv, ...variables })))
    expect(error).toMatchObject({ _tag: "Misconfigured", message: expect.stringContaining(name) })
  })
})
