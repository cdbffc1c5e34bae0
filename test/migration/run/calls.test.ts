import { Effect } from "effect"
import { beforeAll, expect, it } from "vitest"
import { limitBindings, limitFetch } from "../../../local/limits/workers/bindings.ts"
import { newInvocation, within } from "../../../local/limits/workers/Invocation.ts"
import { pageSizeWithin } from "../../../src/migration/run/callBudget.ts"
import type { Checkpoint } from "../../../src/migration/run/Steps.ts"
import { rollbackParameters } from "../../../src/migration/runs/parameters.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, begin, bindings, positionOf, resume } from "../driver.ts"

beforeAll(limitFetch)

/** Sees a run through, instance by instance, each of which may make so many subrequests. Returns how many each made. */
const seeThrough = async (id: string, platformLimit: number, limit: number) => {
  const made: Array<number> = []
  for (let checkpoint: Checkpoint | null = null, isOver = false; !isOver; ) {
    const count = { made: 0 }
    const invocation = newInvocation(platformLimit)
    const state: { next: Checkpoint | null } = { next: null }
    await within(invocation, () =>
      resume(id, {
        bindings: limitBindings(bindings),
        mark: checkpoint,
        count,
        steps: {
          calls: { limit, left: Effect.sync(() => limit - count.made) },
          goOn: (next) =>
            Effect.sync(() => {
              state.next = next
            }),
        },
      }),
    )
    // Reading the run for the test is the one call that no step makes.
    expect(count.made).toBeGreaterThanOrEqual(invocation.made - 3)
    made.push(invocation.made)
    checkpoint = state.next
    isOver = state.next === null
    expect(made.length).toBeLessThan(60)
  }
  return made
}

it("A move of 50 people gets through, and back, where an instance may make 200 subrequests: others go on", async () => {
  const people = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const person = new PersonInMove()
      await person.hasInDatabase("spotify")
      return person
    }),
  )
  const ids = people.map(({ id }) => id)
  await aimAt("live", ids)
  const forward = await seeThrough(await begin({ people: ids }), 210, 200)
  expect(forward.length).toBeGreaterThan(5)
  for (const { id } of people) expect((await positionOf(id)).stage).toBe("live")

  const parameters = { ...rollbackParameters({ to: "off", people: ids }), patienceSeconds: 0 }
  const back = await seeThrough(await begin({}, parameters), 210, 200)
  expect(back.length).toBeGreaterThan(3)
  for (const { id } of people) expect((await positionOf(id)).stage).toBe("off")
})

it("A page has as many people as the calls that are left are enough for, and none where another instance can take twice as many", () => {
  const size = (left: number, limit = 9000) => pageSizeWithin({ limit, left, pageSize: 500 })
  expect(size(9000)).toBe(500)
  expect(size(4610)).toBe(500)
  expect(size(4600)).toBe(498)
  expect(size(2400)).toBe(254)
  expect(size(2300)).toBe(0)
  expect(size(-50)).toBe(0)
  // Never none where no instance could take more.
  expect(size(200, 200)).toBe(10)
  expect(pageSizeWithin({ limit: 9000, left: 200, pageSize: 1 })).toBe(1)
})
