import { env } from "cloudflare:workers"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { beforeEach, describe, expect, it } from "vitest"
import { clear, counted, hour, minute, now, settle } from "./population.ts"
import { awake, Objects, passing, run, runNow, unreachable } from "./run.ts"

const unavailable = () => Promise.reject(new Error("the object is broken"))

beforeEach(clear)

describe("who is woken", () => {
  it("is exactly who is overdue: late, or never heard of", async () => {
    await settle([
      { id: "late", expectedBy: now - 1, providers: ["spotify", "youtube"] },
      { id: "late-for-a-day", expectedBy: now - 24 * hour },
      { id: "on-time", expectedBy: now },
      { id: "later", expectedBy: now + hour },
      { id: "nothing-to-do", expectedBy: null },
      { id: "disconnected", expectedBy: now - hour, isActive: false },
      { id: "silent", providers: ["spotify", "youtube"] },
      { id: "silent-but-new", updatedAt: now - hour + minute },
      { id: "silent-disconnected", isActive: false },
      { id: "silent-not-moved", hasMoved: false },
      { id: "late-keeps-a-copy", expectedBy: now - hour, holder: "database" },
      { id: "silent-keeps-a-copy", holder: "database" },
    ])
    const objects = new Objects()
    const figures = await runNow(objects)
    expect(objects.tried.toSorted()).toEqual(["late", "late-for-a-day", "silent"])
    expect(figures).toMatchObject({ found: 3, woken: 3, failed: 0, failures: [], isComplete: true })
  })

  it("is nobody when nobody is overdue, and the run is recorded all the same", async () => {
    expect(await runNow(new Objects())).toMatchObject({ found: 0, woken: 0, failed: 0, isComplete: true })
    expect(await env.DB.prepare("SELECT count(*) AS rows FROM durable_object_metrics").first()).toEqual({ rows: 1 })
  })

  it("is everybody once, however the pages fall, with many due at the same moment", async () => {
    const late = Array.from({ length: 25 }, (_, index) => ({ id: `late-${index}`, expectedBy: now - 1 - (index % 3) }))
    const silent = Array.from({ length: 11 }, (_, index) => ({
      id: `silent-${index}`,
      providers: ["spotify", "youtube"],
    }))
    await settle([...late, ...silent])
    for (const pageSize of [1, 5, 36, 200]) {
      const objects = new Objects()
      await runNow(objects, { settings: { pageSize } })
      expect(objects.tried.toSorted()).toEqual([...late, ...silent].map(({ id }) => id).toSorted())
    }
  })
})

describe("a wake that fails", () => {
  it("is tried once more", async () => {
    await settle([{ id: "shaky", expectedBy: 1 }])
    const objects = new Objects((_, attempt) => (attempt === 1 ? unavailable() : Promise.resolve(awake)))
    expect(await runNow(objects)).toMatchObject({ found: 1, woken: 1, failed: 0 })
    expect(objects.tried).toEqual(["shaky", "shaky"])
  })

  it("is not tried a third time, stops nobody else, and is counted by its tag", async () => {
    await settle(Array.from({ length: 9 }, (_, index) => ({ id: `user-${index}`, expectedBy: 1 + index })))
    const objects = new Objects((userId) =>
      userId === "user-0" || userId === "user-5" ? unavailable() : Promise.resolve(awake),
    )
    const figures = await runNow(objects, { settings: { pageSize: 2, concurrency: 2 } })
    expect(figures).toMatchObject({
      found: 9,
      woken: 7,
      failed: 2,
      isComplete: true,
      failures: [{ tag: "ObjectUnavailable", count: 2, example: expect.stringContaining("could not be reached") }],
    })
    expect(objects.tried.filter((id) => id === "user-0")).toHaveLength(2)
  })

  it("is left alone when the object is overloaded", async () => {
    await settle([{ id: "overloaded", expectedBy: 1 }])
    const objects = new Objects(() =>
      Promise.reject(Object.assign(new Error("busy"), { overloaded: true, retryable: true })),
    )
    expect(await runNow(objects)).toMatchObject({ failed: 1 })
    expect(objects.tried).toEqual(["overloaded"])
  })

  it("because of an id that no object can have does not reach an object", async () => {
    await settle([{ id: "x".repeat(300), expectedBy: 1 }])
    const objects = new Objects()
    expect(await runNow(objects)).toMatchObject({ failed: 1, failures: [{ tag: "InvalidRequest" }] })
    expect(objects.tried).toEqual([])
  })
})

describe("a run", () => {
  it("wakes no more objects at once than it may", async () => {
    await settle(Array.from({ length: 30 }, (_, index) => ({ id: `user-${index}`, expectedBy: 1 })))
    const objects = new Objects()
    await runNow(objects, { settings: { concurrency: 4, pageSize: 10 } })
    expect(objects.mostAtOnce).toBeLessThanOrEqual(4)
    expect(objects.mostAtOnce).toBeGreaterThan(1)
  })

  it("leaves one row of figures", async () => {
    await settle([{ id: "late", expectedBy: 1 }])
    const figures = await runNow(new Objects())
    const rows = await env.DB.prepare("SELECT at, kind, figures FROM durable_object_metrics").all<{ figures: string }>()
    expect(rows.results).toMatchObject([{ at: now, kind: "cron_run" }])
    expect(JSON.parse(rows.results[0]?.figures ?? "")).toEqual(figures)
  })

  it("reads two rows of D1 for each person, two more for each who is late, and two for the query", async () => {
    const rowsRead = async (onTime: number, late: number) => {
      await clear()
      const people = Array.from({ length: onTime + late }, (_, index) => ({
        id: `user-${index}`,
        expectedBy: index < late ? 1 : now + hour,
        providers: ["spotify", "youtube"],
      }))
      await settle(people)
      const { counter, DB } = counted(env.DB)
      await runNow(new Objects(), { database: DB })
      return counter.rowsRead
    }
    expect(await rowsRead(300, 0)).toBeLessThanOrEqual(2 * 300 + 2)
    expect(await rowsRead(290, 10)).toBeLessThanOrEqual(2 * 300 + 2 * 10 + 2)
  })

  it.each([
    ["late", 95, 10, 10],
    ["late, with a last page that is full", 90, 10, 10],
    ["on time", 95, 10, 10],
    ["on time, and looks at many in one query", 2_000, 5_000, 1],
  ])("looks at no more people in a query than it may, when they are %s", async (when, people, pageSize, queries) => {
    const expectedBy = when.startsWith("late") ? 1 : now + hour
    await settle(Array.from({ length: people }, (_, index) => ({ id: `user-${index}`, expectedBy })))
    const { counter, DB } = counted(env.DB)
    await runNow(new Objects(), { database: DB, settings: { pageSize } })
    expect(counter.queries).toBe(queries)
  })

  it("that runs out of time says so, and has counted what it did", async () => {
    await settle([
      { id: "a-quick", expectedBy: 1 },
      { id: "b-stuck", expectedBy: 2 },
      { id: "c-never-reached", expectedBy: 3 },
    ])
    const reached = Promise.withResolvers<void>()
    const objects = new Objects((userId) => {
      if (userId !== "b-stuck") return Promise.resolve(awake)
      reached.resolve()
      return new Promise(() => undefined)
    })
    const meanwhile = Effect.andThen(
      Effect.promise(() => reached.promise),
      TestClock.adjust("21 seconds"),
    )
    const settings = { concurrency: 1, timeLimit: Duration.seconds(20) }
    expect(await runNow(objects, { settings, meanwhile })).toMatchObject({
      found: 2,
      woken: 1,
      failed: 0,
      durationMs: 20_000,
      isComplete: false,
    })
  })

  it("gives up on an object that does not answer, and goes on", async () => {
    await settle([
      { id: "a-stuck", expectedBy: 1 },
      { id: "b-quick", expectedBy: 2 },
    ])
    const reached = Promise.withResolvers<void>()
    const objects = new Objects((userId) => {
      if (userId !== "a-stuck") return Promise.resolve(awake)
      reached.resolve()
      return new Promise(() => undefined)
    })
    const meanwhile = Effect.andThen(
      Effect.promise(() => reached.promise),
      TestClock.adjust("31 seconds"),
    )
    expect(await runNow(objects, { settings: { concurrency: 1 }, meanwhile })).toMatchObject({
      found: 2,
      woken: 1,
      failed: 1,
      failures: [{ tag: "WakeTimedOut", count: 1 }],
      isComplete: true,
    })
  })

  it.each([
    ["a page", "database"],
    ["where the run before stopped", "metrics"],
  ] as const)("asks for %s again when D1 does not answer at first", async (_what, read) => {
    await settle([{ id: "late", expectedBy: 1 }])
    let failures = 2
    const shaky = new Proxy(env.DB, {
      get: (target, key) => {
        if (key === "prepare" && failures-- > 0) throw new Error("D1 is busy")
        const member: unknown = Reflect.get(target, key)
        return typeof member === "function" ? member.bind(target) : member
      },
    })
    const figures = await runNow(new Objects(), { [read]: shaky, meanwhile: passing })
    expect(figures).toMatchObject({ found: 1, woken: 1, failures: [], isComplete: true })
  })

  it("that cannot read who is overdue says why, and that it is not complete", async () => {
    expect(await runNow(new Objects(), { database: unreachable(), meanwhile: passing })).toMatchObject({
      found: 0,
      failures: [{ tag: "DatabaseUnavailable", example: expect.stringContaining("D1 is down") }],
      isComplete: false,
    })
  })

  it("that cannot even write its figures fails, so that the platform counts it as failed", async () => {
    const error = await Effect.runPromise(
      Effect.flip(run(new Objects(), { metrics: unreachable(), meanwhile: passing })),
    )
    expect(error).toMatchObject({ _tag: "DatabaseUnavailable" })
  })
})
