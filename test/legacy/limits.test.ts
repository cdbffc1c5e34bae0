import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { beforeAll, beforeEach, expect, it } from "vitest"
import { limitBindings, limitFetch } from "../../local/limits/workers/bindings.ts"
import { newInvocation, within } from "../../local/limits/workers/Invocation.ts"
import { clear, feedOf, program, settle, simulator } from "./people.ts"

beforeAll(limitFetch)
beforeEach(clear)

/** One run of the legacy poller in an invocation that may make so many subrequests. */
const runWithin = async (limit: number, variables: Readonly<Record<string, string>>) => {
  const invocation = newInvocation(limit)
  const { DB } = limitBindings({ DB: env.DB })
  const importTokens = (payload: Parameters<typeof exports.CronEntrypoint.importTokens>[0]) =>
    limitBindings({ CORE: exports.CronEntrypoint }).CORE.importTokens(payload)
  const figures = await within(invocation, () => Effect.runPromise(program({ variables, database: DB, importTokens })))
  return { figures, made: invocation.made }
}

it("A first run over more than an invocation may ask goes on in the next, writes what it has, and gets through", async () => {
  const sources = await simulator.createSources(
    Array.from({ length: 60 }, () => ({ provider: "spotify", items: 3 }) as const),
  )
  // Nobody follows what another one does, so that nothing is shared.
  const people = await Promise.all(
    Array.from({ length: 12 }, (_, index) => settle(1, sources.slice(index * 5, index * 5 + 5))),
  )
  const limit = 100
  const before = { items: 0 }
  let runs = 0
  for (let isComplete = false; !isComplete; runs++) {
    const { figures, made } = await runWithin(limit + 20, { LEGACY_REQUEST_LIMIT: String(limit) })
    expect(runs).toBeLessThan(12)
    expect(made).toBeLessThanOrEqual(limit)
    // All but the writing of the figures themselves.
    expect(figures.subrequests).toBe(made - 1)
    expect(figures).toMatchObject({ failed: 0, failures: [] })
    before.items += figures.items
    isComplete = figures.isComplete
  }
  expect(runs).toBeGreaterThan(1)
  expect(before.items).toBe(12 * 5 * 3)
  for (const [person = ""] of people) expect((await feedOf(person)).backfill).toHaveLength(15)
})

it("Neither provider starves the other, whoever asks faster, and one alone may ask for everything", async () => {
  const make = (provider: "spotify" | "youtube") =>
    simulator.createSources(Array.from({ length: 5 }, () => ({ provider, items: 2 }) as const))
  for (const provider of ["spotify", "youtube"] as const) {
    const sources = await make(provider)
    for (let person = 0; person < 30; person++) await settle(1, sources, { provider })
  }
  const polled = async () => {
    const rows = await env.DB.prepare(
      "SELECT provider, count(DISTINCT user_id) AS people FROM user_subscriptions GROUP BY provider ORDER BY provider",
    ).all<{ readonly provider: string; readonly people: number }>()
    return rows.results.map(({ people }) => people)
  }
  await runWithin(140, { LEGACY_REQUEST_LIMIT: "120" })
  const [ofSpotify = 0, ofYoutube = 0] = await polled()
  expect(ofSpotify).toBeGreaterThan(4)
  expect(ofYoutube).toBeGreaterThan(4)
})

it("One person who follows more than a run may ask gets through in several, and is asked for nothing twice", async () => {
  const sources = await simulator.createSources(
    Array.from({ length: 150 }, () => ({ provider: "spotify", items: 1 }) as const),
  )
  const [person = ""] = await settle(1, sources)
  let items = 0
  for (let runs = 0, isComplete = false; !isComplete; runs++) {
    expect(runs).toBeLessThan(8)
    const { figures } = await runWithin(120, { LEGACY_REQUEST_LIMIT: "100" })
    items += figures.items
    isComplete = figures.isComplete
  }
  expect(items).toBe(150)
  const asked = (await simulator.ledger({ person, kind: "items" })).length
  expect(asked).toBe(150)
})
