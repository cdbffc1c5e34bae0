import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import fc from "fast-check"
import { afterEach, describe, expect, it, vi } from "vitest"
import { d1Outage } from "./outage.ts"
import { simulator } from "./person.ts"
import { PersonInMove } from "./personInMove.ts"

afterEach(() => vi.restoreAllMocks())

/** Somebody whose object holds a Spotify grant and delivers, and whose YouTube grant is being moved out of D1. */
const somebody = async () => {
  const [show = "", channel = ""] = await simulator.createSources([
    { provider: "spotify", items: 2 },
    { provider: "youtube", items: 2 },
  ])
  const person = new PersonInMove()
  await person.follows(show, channel)
  await person.connects("spotify")
  await person.pollNow()
  const grant = await person.hasInDatabase("youtube", { epoch: 2, holder: "object" })
  await simulator.publish(show, 1)
  return { person, grant, show }
}

const tables = [
  "user_accounts",
  "user_subscriptions",
  "user_feed_items",
  "durable_object_status",
  "token_migration_status",
]

/** The rows that D1 has of a person, by table; those without any are left out. */
const leftInDatabase = async (id: string) => {
  const counts = await env.DB.batch<{ readonly n: number }>([
    ...tables.map((table) => env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE user_id = ?1`).bind(id)),
    env.DB.prepare("SELECT count(*) AS n FROM users WHERE id = ?1").bind(id),
  ])
  const named = [...tables, "users"].map((table, index) => [table, counts[index]?.results[0]?.n] as const)
  return Object.fromEntries(named.filter(([, rows]) => rows !== 0))
}

/** The rows that the object has, by table, the tombstone left out. */
const leftInObject = (person: PersonInMove) =>
  runInDurableObject(person.stub, (_instance, { storage }) =>
    Object.fromEntries(
      storage.sql
        .exec<{ name: string }>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_*' AND name NOT IN ('tombstone', 'sqlite_sequence')",
        )
        .toArray()
        .map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray().length] as const)
        .filter(([, rows]) => rows > 0),
    ),
  )

/** A while, in round trips to D1: what could go ahead meanwhile has gone. */
const roundTrips = async (times: number) => {
  for (let done = 0; done < times; done += 1) await env.DB.prepare("SELECT 1").first()
}

/** Every batch takes so many round trips longer to reach D1. */
const slowDatabase = (trips: number) => {
  const batch = env.DB.batch.bind(env.DB)
  vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
    await roundTrips(trips)
    return await batch(statements)
  })
}

const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: { readonly _tag?: string }) => error._tag ?? String(error),
  )

describe("forget", () => {
  it("waits for a delivery that D1 has not answered yet", async () => {
    const { person } = await somebody()
    const batch = env.DB.batch.bind(env.DB)
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    const { promise: sent, resolve: send } = Promise.withResolvers<void>()
    vi.spyOn(env.DB, "batch").mockImplementationOnce(async (statements) => {
      send()
      await released
      return await batch(statements)
    })
    const poll = outcomeOf(person.pollNow())
    await sent
    const forgotten = person.forget()
    // Long enough for an erasure that does not wait.
    await Promise.race([forgotten, roundTrips(50)])
    release()
    expect(await forgotten).toEqual({ forgotten: true })
    await poll
    expect(await leftInDatabase(person.id)).toEqual({})
    expect(await leftInObject(person)).toEqual({})
  })

  it("leaves a person as they are while D1 does not take the erasure", async () => {
    const { person } = await somebody()
    {
      await using _ = await d1Outage()
      expect(await outcomeOf(person.forget())).toBe("DatabaseUnavailable")
    }
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }], delivered: 1 })
  })

  it("leaves a tombstone that refuses late calls of the move, also after an eviction", async () => {
    const { person, grant } = await somebody()
    await person.forget()
    await evictDurableObject(person.stub)
    expect(await outcomeOf(person.importGrant("youtube", grant))).toBe("PersonForgotten")
    expect(await outcomeOf(person.takeOver("youtube", 2))).toBe("PersonForgotten")
    expect(await outcomeOf(person.handBack("spotify", 2))).toBe("PersonForgotten")
    expect(await outcomeOf(person.setMirror(true))).toBe("PersonForgotten")
    expect(await leftInObject(person)).toEqual({})
  })

  it("lets the person come back with setToken: that account begins anew, the others stay refused", async () => {
    const { person, grant, show } = await somebody()
    await person.forget()
    await person.connects("spotify")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }], delivered: 3 })
    expect(await person.feed()).toHaveLength(3)
    const account = await person.account("spotify")
    expect(account).toMatchObject({ holder: "object" })
    // Above every epoch of the time before: no late call passes for one of now.
    expect(account?.epoch).toBeGreaterThan(2)
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: account?.epoch, is_active: 1 })
    expect(await outcomeOf(person.importGrant("youtube", grant))).toBe("PersonForgotten")
    expect((await person.fingerprints()).map(({ provider }) => provider)).toEqual(["spotify"])
    await simulator.publish(show, 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
  })

  it("is not undone by a setToken that had read D1 before", async () => {
    const person = new PersonInMove()
    await person.follows(await simulator.createSource({ provider: "spotify", items: 1 }))
    const prepare = env.DB.prepare.bind(env.DB)
    let forgotten: Promise<unknown> | undefined
    vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      const statement = prepare(query)
      if (!query.startsWith("INSERT INTO user_accounts") || forgotten !== undefined) return statement
      const bind = statement.bind.bind(statement)
      return Object.assign(statement, {
        bind: (...values: ReadonlyArray<unknown>) => {
          const bound = bind(...values)
          const all = bound.all.bind(bound)
          // The person is erased when the core has decided where the account goes, and before it says so to D1.
          return Object.assign(bound, {
            all: async () => {
              forgotten = person.forget()
              await forgotten
              return await all()
            },
          })
        },
      })
    })
    expect(await outcomeOf(person.connects("spotify"))).toBe("PersonForgotten")
    await forgotten
    expect(await leftInDatabase(person.id)).toEqual({})
    expect(await leftInObject(person)).toEqual({})
  })
})

const calls = ["poll", "deliver", "importTokens", "setToken", "takeOver", "forget"] as const
type Call = (typeof calls)[number]

const order = fc.record({
  started: fc.shuffledSubarray([...calls], { minLength: calls.length }),
  /** Round trips to D1 that pass before each is called, and that each batch takes longer. */
  gaps: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: calls.length, maxLength: calls.length }),
  latency: fc.integer({ min: 0, max: 8 }),
})

it("Whatever is under way, in whatever order: of a person who is forgotten nothing stays but what a later setToken brings", {
  timeout: Number.POSITIVE_INFINITY,
}, async () => {
  await fc.assert(
    fc.asyncProperty(order, async ({ started, gaps, latency }) => {
      const { person, grant } = await somebody()
      slowDatabase(latency)
      const call: Readonly<Record<Call, () => Promise<unknown>>> = {
        poll: () => person.pollNow(),
        deliver: () => person.wake(),
        importTokens: () => person.importGrant("youtube", grant),
        setToken: () => person.connects("spotify"),
        takeOver: () => person.takeOver("youtube", 2),
        forget: () => person.forget(),
      }
      const outcomes = new Map<Call, Promise<string>>()
      for (const [index, name] of started.entries()) {
        await roundTrips(gaps[index] ?? 0)
        outcomes.set(name, outcomeOf(call[name]()))
      }
      for (const [name, outcome] of outcomes) {
        expect(name === "forget" ? ["ok"] : ["ok", "PersonForgotten"], name).toContain(await outcome)
      }
      const held = (await person.fingerprints()).map(({ provider }) => provider)
      if (held.length === 0) {
        expect(await leftInDatabase(person.id)).toEqual({})
        expect(await leftInObject(person)).toEqual({})
      } else {
        expect(held).toEqual(["spotify"])
        expect(await outcomes.get("setToken")).toBe("ok")
        expect(await person.row("youtube")).toBeNull()
      }
      vi.restoreAllMocks()
    }),
    { numRuns: Number(env.SEQUENCES) },
  )
})

it("A person who is forgotten is not where the last run of cron stopped", async () => {
  const [person, other] = [new PersonInMove(), new PersonInMove()]
  await person.connects("spotify")
  const insert = env.DB.prepare("INSERT INTO durable_object_metrics (kind, at, figures) VALUES ('cron_run', ?1, ?2)")
  const stopped = ({ id }: PersonInMove) => JSON.stringify({ found: 1, stoppedAfter: id })
  const newest = () =>
    env.DB.prepare("SELECT figures FROM durable_object_metrics ORDER BY at DESC LIMIT 1").first<string>("figures")
  await insert.bind(1, stopped(person)).run()
  await person.forget()
  expect(await newest()).toBe(JSON.stringify({ found: 1, stoppedAfter: "" }))
  await insert.bind(2, stopped(other)).run()
  await person.forget()
  expect(await newest()).toBe(stopped(other))
})
