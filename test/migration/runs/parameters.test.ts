import { env } from "cloudflare:workers"
import { expect, it } from "vitest"
import { rollbackParameters } from "../../../src/migration/runs/parameters.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, begin, positionOf, resume } from "../driver.ts"

const storedOf = async (id: string) => {
  const row = await env.DB.prepare("SELECT parameters FROM migration_runs WHERE id = ?1").bind(id).first("parameters")
  return JSON.parse(String(row))
}

it("The parameters of a run are stored under the names that they have had from the start", async () => {
  const run = await begin({}, rollbackParameters({ to: "off", everybody: true, isDry: true, includesBorn: true }))
  expect(await storedOf(run)).toEqual({
    ...{ kind: "rollback", isDry: true, pageSize: 500, concurrency: 20, patienceSeconds: 300 },
    ...{ people: null, to: "off", at: null, includesBorn: true },
  })
  expect((await resume(run)).parameters).toEqual(await storedOf(run))
})

it("A dry run whose parameters were read before a deployment stays a dry run after it", async () => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  await aimAt("dual_write", [person.id])
  const run = await begin({ people: [person.id], isDry: true })
  const stored = await storedOf(run)
  const replayed: Array<string> = []
  const after = await resume(run, {
    replay: (name) => {
      if (name !== "read what was asked") return undefined
      replayed.push(name)
      return JSON.stringify(stored)
    },
  })
  expect(replayed).toHaveLength(1)
  expect(after).toMatchObject({ state: "finished", isDry: true, progress: { people: 1, taken: 0 } })
  expect((await positionOf(person.id)).history).toEqual([])
})
