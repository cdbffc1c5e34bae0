import { env } from "cloudflare:workers"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { beforeEach, describe, expect, it } from "vitest"
import { widePlans } from "../move/plans.ts"
import { watched } from "../move/watched.ts"
import {
  clear,
  feedOf,
  ledgerEnd,
  ledgerOf,
  program,
  requestsOf,
  run,
  settle,
  simulator,
  withoutSeveral,
} from "./people.ts"

beforeEach(clear)

/** Whose libraries were read, in order. */
const libraries = (entries: Awaited<ReturnType<typeof ledgerOf>>) =>
  entries.filter(({ kind }) => kind === "library").map(({ person }) => person)

describe("requests", () => {
  it("of an idle run are one for 50 followed shows, and one for 50 channels", async () => {
    const shows = await simulator.createSources(
      Array.from({ length: 50 }, () => ({ provider: "spotify", items: 1 }) as const),
    )
    const channels = await simulator.createSources(
      Array.from({ length: 50 }, () => ({ provider: "youtube", items: 1 }) as const),
    )
    const people = [...(await settle(2, shows)), ...(await settle(2, channels, { provider: "youtube" }))]
    await run()
    const since = await ledgerEnd()
    expect(await run()).toMatchObject({ items: 0, requests: 4 })
    expect(await requestsOf(people, since)).toEqual({ library: 4 })
  })

  it("for the shows beyond a first page are one for 50 shows, whoever follows them", async () => {
    const shows = await simulator.createSources(
      Array.from({ length: 130 }, () => ({ provider: "spotify", items: 1 }) as const),
    )
    const people = await settle(8, shows)
    await run()
    const [{ id = "" } = {}] = await simulator.publish(shows[0] ?? "", 1)
    const since = await ledgerEnd()
    expect(await run()).toMatchObject({ items: 8 })
    expect(await requestsOf(people, since)).toEqual({ library: 8, details: 2, items: 1 })
    for (const userId of people) expect((await feedOf(userId)).fresh).toEqual([id])
    // A new follow is on the first page: then the whole library is read again.
    const added = await simulator.createSource({ provider: "spotify", items: 3 })
    await simulator.subscribe(people[0] ?? "", added)
    await simulator.unsubscribe(people[1] ?? "", shows[3] ?? "")
    const then = await ledgerEnd()
    expect(await run()).toMatchObject({ items: 3 })
    expect(await requestsOf(people, then)).toEqual({ library: 6 + 3 + 3, details: 2, items: 1 })
    const follows = env.DB.prepare("SELECT count(*) AS rows FROM user_subscriptions WHERE user_id = ?1")
    expect(await follows.bind(people[0]).first("rows")).toBe(131)
    expect(await follows.bind(people[1]).first("rows")).toBe(129)
  })

  it("fall back on whole libraries where several shows cannot be asked for, after one try a run", async () => {
    const shows = await withoutSeveral.createSources(
      Array.from({ length: 60 }, () => ({ provider: "spotify", items: 1 }) as const),
    )
    const people = await settle(3, shows, { at: withoutSeveral })
    const at = withoutSeveral
    const variables = { LEGACY_BATCH_SIZE: "1" }
    await run({ at })
    const [{ id = "" } = {}] = await at.publish(shows[0] ?? "", 1)
    const since = await ledgerEnd(at)
    expect(await run({ at, variables })).toMatchObject({ items: 3, failures: [] })
    const asked = await ledgerOf(people, since, at)
    expect(asked.filter(({ path }) => path.endsWith("/v1/shows"))).toHaveLength(1)
    expect(asked.filter(({ kind }) => kind === "library")).toHaveLength(6)
    for (const userId of people) expect((await feedOf(userId)).fresh).toEqual([id])
  })

  it("are six at once: what a worker may have under way", async () => {
    const people = await settle(8, [await simulator.createSource({ provider: "spotify", items: 1 })])
    const gates = await Promise.all(people.map((person) => simulator.hold({ person, kind: "library" })))
    const running = run()
    await Promise.all(gates.slice(0, 6).map((gate) => simulator.waitForHeld(gate)))
    await expect(simulator.waitForHeld(gates[6] ?? "", 1, 200)).rejects.toThrow()
    await Promise.all(gates.map((gate) => simulator.release(gate)))
    expect(await running).toMatchObject({ polled: 8 })
  })
})

describe("statements", () => {
  const statementsFor = async (people: number, expiresInSeconds: number) => {
    await clear()
    const sources = await simulator.createSources(
      Array.from({ length: 3 }, () => ({ provider: "spotify", items: 2 }) as const),
    )
    await settle(people, sources, { expiresInSeconds })
    const { database, statements } = watched()
    const cold = await run({ database })
    const afterCold = statements.length
    for (const source of sources) await simulator.publish(source, 1)
    const busy = await run({ database })
    expect([cold.items, busy.items]).toEqual([people * 6, people * 3])
    return { cold: afterCold, busy: statements.length - afterCold, tokenQueries: busy.tokenQueries }
  }

  it("are per batch, and not per person", async () => {
    const few = await statementsFor(2, 3600)
    const many = await statementsFor(49, 3600)
    expect(many).toEqual(few)
    expect(many.tokenQueries).toBe(1)
  })

  it("find what they read and write by its keys, and not among everybody", async () => {
    const sources = await simulator.createSources([{ provider: "spotify", items: 2 }, { provider: "spotify" }])
    const people = await settle(2, sources, { expiresInSeconds: -1 })
    const { database, statements } = watched()
    await run({ database })
    await simulator.unsubscribe(people[0] ?? "", sources[1] ?? "")
    await simulator.publish(sources[0] ?? "", 1)
    await run({ database })
    expect(new Set(statements).size).toBe(16)
    expect(await widePlans(statements)).toEqual([])
  })

  it("for refreshes are four for ten", async () => {
    const fresh = await statementsFor(40, 3600)
    const stale = await statementsFor(40, -1)
    expect(stale.cold - fresh.cold).toBe(16)
  })
})

describe("a run", () => {
  it("polls only active, connected accounts that D1 holds", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const people = await settle(4, [source])
    const set = (column: string, value: string | number, userId: string | undefined) =>
      env.DB.prepare(`UPDATE user_accounts SET ${column} = ?1 WHERE user_id = ?2`).bind(value, userId).run()
    await set("holder", "object", people[0])
    await set("is_active", 0, people[1])
    await set("state", "reauthorization_required", people[2])
    const since = await ledgerEnd()
    expect(await run()).toMatchObject({ found: 1, polled: 1, failed: 0, isComplete: true })
    expect(new Set((await ledgerOf(people, since)).map(({ person }) => person))).toEqual(new Set([people[3]]))
  })

  it("that has used up its requests goes on in the next where it stopped, and then from the beginning", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const people = await settle(30, [source])
    const variables = { LEGACY_BATCH_SIZE: "2", LEGACY_REQUEST_LIMIT: "100" }
    const since = await ledgerEnd()
    const first = await run({ variables })
    expect(first).toMatchObject({ isComplete: false, stoppedAfter: { spotify: people[first.polled - 1] } })
    const second = await run({ variables })
    expect(second.stoppedAfter.spotify).toBe(people[first.polled + second.polled - 1])
    const third = await run({ variables })
    const asked = libraries(await ledgerOf(people, since))
    expect(asked).toHaveLength(first.polled + second.polled + third.polled)
    // The third got to the end, and began anew for as long as it could.
    expect(asked.slice(0, people.length).toSorted()).toEqual(people.toSorted())
  })

  it("that is out of time says so, and loses no batch that was done", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const [done = "", stuck = ""] = await settle(2, [source])
    const gate = await simulator.hold({ person: stuck, kind: "library" })
    const outOfTime = Effect.gen(function* () {
      yield* TestClock.setTime(Date.now())
      const running = yield* Effect.forkChild(program({ variables: { LEGACY_BATCH_SIZE: "1" } }))
      yield* Effect.promise(() => simulator.waitForHeld(gate))
      yield* TestClock.adjust("10 minutes")
      return yield* Fiber.join(running)
    }).pipe(Effect.provide(TestClock.layer()))
    expect(await Effect.runPromise(outOfTime)).toMatchObject({
      polled: 1,
      isComplete: false,
      stoppedAfter: { spotify: done },
    })
    await simulator.release(gate)
    expect(await run()).toMatchObject({ polled: 2, isComplete: true })
  })

  it("that is killed in the middle leaves behind what it did and where it was", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const people = await settle(4, [source])
    const gate = await simulator.hold({ person: people[2] ?? "", kind: "library" })
    const variables = { LEGACY_BATCH_SIZE: "1" }
    const running = Effect.runFork(program({ variables }))
    await simulator.waitForHeld(gate)
    await Effect.runPromise(Fiber.interrupt(running))
    await simulator.release(gate)
    for (const userId of people.slice(0, 2)) expect((await feedOf(userId)).backfill).toHaveLength(1)
    const since = await ledgerEnd()
    expect(await run({ variables })).toMatchObject({ found: 4, items: 2, isComplete: true })
    // The one that it was killed at comes last.
    expect(libraries(await ledgerOf(people, since))).toEqual([people[3], people[0], people[1], people[2]])
  })

  it("leaves one row of figures, of the shape of a run of cron", async () => {
    await settle(1, [await simulator.createSource({ provider: "spotify", items: 1 })])
    const figures = await run()
    const { results } = await env.DB.prepare("SELECT kind, figures FROM durable_object_metrics").all<{
      figures: string
    }>()
    expect(results).toMatchObject([{ kind: "legacy_run" }])
    expect(JSON.parse(results[0]?.figures ?? "")).toEqual({ ...figures, durationMs: expect.any(Number) })
    expect(figures).toMatchObject({
      found: 1,
      polled: 1,
      failed: 0,
      failures: [],
      isComplete: true,
      items: 1,
      requests: 2,
    })
  })

  it.each([
    [{ LEGACY_BATCH_SIZE: "0" }, "LEGACY_BATCH_SIZE"],
    [{ LEGACY_CONCURRENCY: "many" }, "LEGACY_CONCURRENCY"],
    [{ LEGACY_TIME_LIMIT: "20 minutes" }, "LEGACY_TIME_LIMIT"],
  ])("says which setting is wrong: %j", async (variables, name) => {
    const error = await Effect.runPromise(Effect.flip(program({ variables })))
    expect(error).toMatchObject({ _tag: "Misconfigured", message: expect.stringContaining(name) })
  })

  it("asks D1 five times and nobody else when nobody is left with D1", async () => {
    const { database, statements } = watched()
    expect(await run({ database })).toMatchObject({ found: 0, isComplete: true, requests: 0, tokenQueries: 0 })
    // The run before, this run's row, a page of each provider, and the figures.
    expect(statements).toHaveLength(5)
  })
})
