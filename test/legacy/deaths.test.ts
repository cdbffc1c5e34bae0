import { env } from "cloudflare:workers"
import { Effect, Fiber } from "effect"
import { beforeEach, expect, it } from "vitest"
import { clear, feedOf, ledgerEnd, ledgerOf, program, run, settle, simulator } from "./people.ts"

beforeEach(clear)

const variables = { LEGACY_BATCH_SIZE: "2", LEGACY_CONCURRENCY: "1" }

/** A run that dies when it asks for the library of this person. Returns whose libraries it asked for, in order. */
const dieAt = async (person: string, people: ReadonlyArray<string>) => {
  const since = await ledgerEnd()
  const gate = await simulator.hold({ person, kind: "library" })
  const running = Effect.runFork(program({ variables }))
  await simulator.waitForHeld(gate)
  await Effect.runPromise(Fiber.interrupt(running))
  await simulator.release(gate)
  const asked = await ledgerOf(people, since)
  return asked.flatMap(({ kind, person: whose }) => (kind === "library" && whose !== person ? [whose] : []))
}

it("A run that dies in a batch keeps nobody else from the next, which polls those people last, one by one", async () => {
  const source = await simulator.createSource({ provider: "spotify", items: 1 })
  const people = await settle(6, [source])
  const [before = "", deadly = "", ...others] = people
  expect(await dieAt(deadly, people)).toEqual([before])
  expect(await dieAt(deadly, people)).toEqual([...others, before])
  for (const userId of [...others, before]) expect((await feedOf(userId)).backfill).toHaveLength(1)

  expect(await run({ variables })).toMatchObject({
    found: 6,
    polled: 5,
    failed: 1,
    failures: [{ tag: "PollDied", count: 1, example: expect.stringContaining(deadly) }],
    isComplete: true,
    suspects: [{ provider: "spotify", userId: deadly }],
  })
  expect((await feedOf(deadly)).backfill).toEqual([])

  // A day later it is tried again, alone.
  await env.DB.prepare(
    "UPDATE durable_object_metrics SET figures = json_set(figures, '$.suspects[0].triedAt', 0) WHERE kind = 'legacy_run'",
  ).run()
  expect(await run({ variables })).toMatchObject({ polled: 6, failed: 0, isComplete: true, suspects: [] })
  expect((await feedOf(deadly)).backfill).toHaveLength(1)
})

it("A run that has ended leaves nobody suspected, whatever failed in it", async () => {
  const source = await simulator.createSource({ provider: "spotify", items: 1 })
  const [userId = ""] = await settle(3, [source])
  const fault = { type: "status", status: 500 } as const
  const [fails = ""] = await simulator.setFaults([{ match: { person: userId, kind: "library" }, fault }])
  expect(await run({ variables })).toMatchObject({ failed: 1, suspects: [], underWay: { spotify: null } })
  await simulator.clearFaults([fails])
  expect(await run({ variables })).toMatchObject({ polled: 3, suspects: [] })
})

it("A run that cannot get to everybody polls those of a batch that one died in all the same", async () => {
  const people = await settle(60, [await simulator.createSource({ provider: "spotify", items: 1 })])
  const [first = "", second = ""] = people
  await dieAt(second, people)
  const figures = await run({ variables: { ...variables, LEGACY_REQUEST_LIMIT: "100" } })
  expect(figures).toMatchObject({ isComplete: false, failed: 0, suspects: [] })
  expect(figures.subrequests).toBeLessThanOrEqual(100)
  for (const userId of [first, second]) expect((await feedOf(userId)).backfill).toHaveLength(1)
})
