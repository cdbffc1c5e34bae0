import { env } from "cloudflare:workers"
import fc from "fast-check"
import { expect, it } from "vitest"
import { type Stage, stages } from "../../../src/domain/stage.ts"
import {
  type Transitions,
  transitionBetween,
  transitions,
  transitionTowards,
} from "../../../src/migration/transitions/transitions.ts"
import { PersonInMove } from "../../object/personInMove.ts"
import { aimAt, move, positionOf } from "../driver.ts"

const rank = (stage: Stage) => stages.indexOf(stage)
const stage = fc.constantFrom(...stages)

it("A transition leads there and back between every two stages that are neighbours, and between no others", () => {
  for (const from of stages) {
    for (const to of stages) {
      const isNeighbour = Math.abs(rank(from) - rank(to)) === 1
      const found = transitionBetween(from, to)
      expect(found === null ? null : [found.from, found.to]).toEqual(isNeighbour ? [from, to] : null)
    }
  }
  expect(transitions).toHaveLength(2 * (stages.length - 1))
})

it("The transition towards a stage leads one stage nearer to it, and there is none at the stage itself", () => {
  fc.assert(
    fc.property(stage, stage, (from, target) => {
      const towards = transitionTowards(from, target)
      if (from === target) expect(towards).toBeNull()
      else expect(towards).toMatchObject({ from, to: stages[rank(from) + Math.sign(rank(target) - rank(from))] })
    }),
  )
})

it("A table of transitions that lacks one, has one more, or names one wrongly does not compile", () => {
  const [first, second, ...rest] = transitions
  // @ts-expect-error: nothing leads from dual_write back to off.
  const lacking: Transitions = [first, ...rest]
  // @ts-expect-error: nobody goes from off to live in one step.
  const more: Transitions = [...transitions, { ...first, to: "live" }]
  // @ts-expect-error: there is no such stage.
  const misspelt: Transitions = [{ ...first, to: "dualwrite" }, second, ...rest]
  // @ts-expect-error: a dry run would have nothing to check.
  const unchecked: Transitions = [{ from: "off", to: "dual_write", take: first.take }, second, ...rest]
  expect([lacking, more, misspelt, unchecked]).toHaveLength(4)
})

it("A run takes and records the steps of the table alone, where a row written by hand says that another was begun", async () => {
  const person = new PersonInMove()
  await person.hasInDatabase("spotify")
  await env.DB.prepare(
    "INSERT INTO token_migration_status (user_id, stage, target, state, updated_at) VALUES (?1, 'off', 'live', 'copying', 1)",
  )
    .bind(person.id)
    .run()
  await aimAt("shadow", [person.id])
  await move({ people: [person.id] })
  const { stage: reached, history } = await positionOf(person.id)
  expect(reached).toBe("shadow")
  expect(history.map(({ from, to }) => [from, to])).toEqual([
    ["off", "dual_write"],
    ["dual_write", "shadow"],
  ])
})
