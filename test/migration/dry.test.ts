import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import type { Stage } from "../../src/domain/stage.ts"
import { Mover } from "../object/mover.ts"
import { simulator } from "../object/person.ts"
import { aimAt, move, rollBack } from "./driver.ts"

const tableNames =
  "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name"

/** Everything that D1 has, but for what a run says of itself, and everything that these people's objects have. */
const dump = async (people: ReadonlyArray<Mover>) => {
  const { results } = await env.DB.prepare(tableNames).all<{ readonly name: string }>()
  const names = results.map(({ name }) => name).filter((name) => name !== "migration_runs")
  const rows = await env.DB.batch(names.map((name) => env.DB.prepare(`SELECT * FROM "${name}"`)))
  const objects = await Promise.all(
    people.map(({ stub }) =>
      runInDurableObject(stub, async (_instance, { storage }) => {
        const tables = storage.sql.exec<{ name: string }>(tableNames).toArray()
        const content = tables.map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray()])
        return { content, alarmAt: await storage.getAlarm() }
      }),
    ),
  )
  return { database: names.map((name, index) => [name, rows[index]?.results]), objects }
}

const loseKey = (person: Mover) =>
  runInDurableObject(person.stub, (_instance, { storage }) => {
    storage.sql.exec("UPDATE tokens SET key_id = 'lost'")
  })
const loseRefreshToken = (person: Mover) =>
  env.DB.prepare("UPDATE user_accounts SET refresh_token = NULL WHERE user_id = ?1").bind(person.id).run()
const revoke = (person: Mover) => simulator.revoke(person.id, "spotify")

/** Two people for each step, of whom one would fail, where a look can tell. */
const steps: ReadonlyArray<readonly [Stage, Stage, string?, ((person: Mover) => Promise<unknown>)?]> = [
  ["off", "dual_write", "no_refresh_token", loseRefreshToken],
  ["dual_write", "shadow", "no_refresh_token", loseRefreshToken],
  ["shadow", "live", "grant_refused", revoke],
  ["live", "rampdown"],
  ["rampdown", "complete", "grant_refused", revoke],
  ["complete", "rampdown", "seal_broken", loseKey],
  ["rampdown", "live", "seal_broken", loseKey],
  ["live", "shadow", "seal_broken", loseKey],
  ["shadow", "dual_write"],
  ["dual_write", "off"],
]

it("A dry run tells who would go where and who would fail, at every step there and back, and writes nothing at all", async () => {
  const settled = await Promise.all(
    steps.map(async ([from, to, reason, poison]) => {
      const people = [new Mover(), new Mover()] as const
      for (const person of people) await person.hasInDatabase("spotify")
      return { from, to, reason, poison, people }
    }),
  )
  const everybody = settled.flatMap(({ people }) => people)
  const aim = async (which: "from" | "to") => {
    for (const step of settled)
      await aimAt(
        step[which],
        step.people.map(({ id }) => id),
      )
  }
  await aim("from")
  await move({})
  for (const { poison, people } of settled) await poison?.(people[1])
  await aim("to")

  const before = await dump(everybody)
  const run = await move({ isDry: true })
  expect(run).toMatchObject({ state: "finished", isDry: true, progress: { people: 20, steps: 20 } })
  const routes = steps.map(([from, to]) => ({ from, to, people: 2 }))
  expect(run.progress.routes).toHaveLength(routes.length)
  expect(run.progress.routes).toEqual(expect.arrayContaining(routes))
  for (const reason of ["no_refresh_token", "grant_refused", "seal_broken"]) {
    const failing = settled.filter((step) => step.reason === reason).map(({ people }) => people[1].id)
    const told = run.progress.failures.find((failure) => failure.reason === reason)
    expect(told?.examples.toSorted()).toEqual(failing.toSorted())
  }
  expect(run.progress.failures).toHaveLength(3)
  const back = await rollBack({ to: "off", everybody: true, isDry: true })
  expect(back.progress).toMatchObject({ people: 18, failures: [{ reason: "seal_broken" }] })
  expect(await dump(everybody)).toEqual(before)
})
