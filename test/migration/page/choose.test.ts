import fc from "fast-check"
import { expect, it } from "vitest"
import { type Stage, stages } from "../../../src/domain/stage.ts"
import type { StepState } from "../../../src/migration/api/people.ts"
import { chooseStep, type Position } from "../../../src/migration/page/choose.ts"

const stage = fc.constantFrom(...stages)
const rank = (one: Stage) => stages.indexOf(one)

/** Where somebody may be: at a stage, with a step to a neighbour begun, ended or failed. */
const position: fc.Arbitrary<Position> = fc
  .record({
    stage,
    by: fc.constantFrom(-1, 0, 1),
    state: fc.constantFrom<StepState>("pending", "copying", "verifying", "migrated", "failed", "rolled_back"),
  })
  .map(({ stage: at, by, state }) => ({ stage: at, towards: stages[rank(at) + by] ?? at, state }))

const isEnded = ({ state }: Position) => state === "migrated" || state === "rolled_back"

it("takes everybody to their target, one stage at a time, whatever was begun, and then has no step left", () => {
  fc.assert(
    fc.property(position, stage, (from, target) => {
      let at = from
      for (let taken = 0; taken <= stages.length; taken++) {
        const step = chooseStep(at, target)
        if (step === null) break
        expect(Math.abs(rank(step.to) - rank(step.from))).toBe(1)
        expect([step.from, step.to]).toContain(at.stage)
        at = { stage: step.to, towards: step.to, state: "migrated" }
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
      if (isOnTheWay) expect(step).toEqual({ from: from.stage, to: from.towards, isUndo: false })
      else expect(step).toEqual({ from: from.towards, to: from.stage, isUndo: true })
    }),
  )
})

it("finishes a hand-over back that was begun, wherever the person should be by now", () => {
  fc.assert(
    fc.property(fc.constantFrom<StepState>("pending", "copying", "verifying", "failed"), stage, (state, target) => {
      const step = chooseStep({ stage: "live", towards: "shadow", state }, target)
      expect(step).toEqual({ from: "live", to: "shadow", isUndo: false })
    }),
  )
})
