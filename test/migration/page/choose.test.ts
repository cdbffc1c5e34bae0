import fc from "fast-check"
import { expect, it } from "vitest"
import { hasReached, holderAt, type Stage, stages } from "../../../src/domain/stage.ts"
import type { StepState } from "../../../src/migration/api/people.ts"
import { chooseStep, type Position } from "../../../src/migration/page/choose.ts"
import { transitionBetween } from "../../../src/migration/transitions/transitions.ts"

const stage = fc.constantFrom(...stages)
const rank = (one: Stage) => stages.indexOf(one)

const settled: Pick<Position, "holders"> = { holders: new Set() }

/** Where somebody may be: at a stage, with a step to a neighbour begun, ended or failed. Each account has the holder of that stage. */
const position: fc.Arbitrary<Position> = fc
  .record({
    stage,
    by: fc.constantFrom(-1, 0, 1),
    state: fc.constantFrom<StepState>("pending", "copying", "verifying", "migrated", "failed", "rolled_back"),
  })
  .map(({ stage: at, by, state }) => ({
    stage: at,
    towards: stages[rank(at) + by] ?? at,
    state,
    holders: new Set([holderAt(at)]),
  }))

const isEnded = ({ state }: Position) => state === "migrated" || state === "rolled_back"

it("takes everybody to their target, one stage at a time, whatever was begun, and then has no step left", () => {
  fc.assert(
    fc.property(position, stage, (from, target) => {
      let at = from
      for (let taken = 0; taken <= stages.length; taken++) {
        const step = chooseStep(at, target)
        if (step === null) break
        const { from: begin, to: end } = step.transition
        expect(Math.abs(rank(end) - rank(begin))).toBe(1)
        expect([begin, end]).toContain(at.stage)
        at = { stage: end, towards: end, state: "migrated", holders: new Set([holderAt(end)]) }
      }
      expect(at.stage).toBe(target)
      expect(isEnded(at) || at.towards === at.stage || at.towards !== target).toBe(true)
    }),
  )
})

it("undoes a step that was begun before it takes another, unless it is on the way", () => {
  fc.assert(
    fc.property(position, stage, (from, target) => {
      const step = chooseStep(from, target)
      const isHalfDone = !isEnded(from) && from.towards !== from.stage
      if (!isHalfDone) return
      const isOnTheWay = step !== null && !step.isUndo
      const expected = isOnTheWay ? { from: from.stage, to: from.towards } : { from: from.towards, to: from.stage }
      expect(step).toMatchObject({ transition: expected, isUndo: !isOnTheWay })
    }),
  )
})

it("finishes a hand-over back that was begun, wherever the person should be by now", () => {
  fc.assert(
    fc.property(fc.constantFrom<StepState>("pending", "copying", "verifying", "failed"), stage, (state, target) => {
      const step = chooseStep({ ...settled, stage: "live", towards: "shadow", state }, target)
      expect(step).toMatchObject({ transition: { from: "live", to: "shadow" }, isUndo: false })
    }),
  )
})

it("takes a step of the table where a row written by hand says that one to a stage far away was begun", () => {
  for (const target of stages) {
    const step = chooseStep({ ...settled, stage: "off", towards: "live", state: "copying" }, target)
    expect(step?.transition ?? null).toBe(target === "off" ? null : transitionBetween("off", "dual_write"))
  }
})

it("puts right first that the object holds an account at a stage at which D1 should, unless the way leads to the object", () => {
  for (const at of stages) {
    for (const target of stages) {
      const step = chooseStep({ stage: at, towards: at, state: "migrated", holders: new Set(["object"]) }, target)
      if (holderAt(at) === "object" || !hasReached(at, target)) {
        expect(step).toEqual(chooseStep({ ...settled, stage: at, towards: at, state: "migrated" }, target))
      } else expect(step).toMatchObject({ transition: { from: stages[rank(at) + 1], to: at }, isUndo: true })
    }
  }
})

it("hands over first what D1 holds of somebody who is at live or beyond, unless the way leads back", () => {
  for (const at of ["live", "rampdown", "complete"] as const) {
    for (const target of stages) {
      const step = chooseStep(
        { stage: at, towards: at, state: "migrated", holders: new Set(["database", "object"]) },
        target,
      )
      if (hasReached(target, "live")) expect(step).toMatchObject({ transition: { from: "shadow", to: "live" } })
      else expect(step?.transition.from).toBe(at)
    }
  }
})
