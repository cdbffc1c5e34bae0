import type { Stage } from "../../domain/stage.ts"
import type { StepState } from "../api/people.ts"
import { type Transition, transitionBetween, transitionTowards } from "../transitions/transitions.ts"

/** The position of a person in the move, as `token_migration_status` has it. */
export interface Position {
  readonly stage: Stage
  /** The stage to which the step under way, or the last one, leads, and the state of that step. */
  readonly towards: Stage
  readonly state: StepState
}

/** One step of one person. */
export interface Step {
  readonly transition: Transition
  /** Whether the step undoes an unfinished one, so that the person is at `stage` again. */
  readonly isUndo: boolean
}

/** Returns the transition that was begun and not finished; `null` for none, and for a row written by hand that leads to no neighbour. */
const unfinishedOf = ({ state, stage, towards }: Position): Transition | null =>
  state === "migrated" || state === "rolled_back" ? null : transitionBetween(stage, towards)

/**
 * Chooses the next step of a person whose destination is `target`; `null` for none. An unfinished step that is on the way continues; any
 * other is undone first, by the transition that leads back, which copes with what is half-done. The hand-over back is always finished: an
 * object that has given up as of a later epoch cannot hold the account again before D1 has taken it.
 */
export const chooseStep = (position: Position, target: Stage): Step | null => {
  const next = transitionTowards(position.stage, target)
  const unfinished = unfinishedOf(position)
  if (unfinished?.from === "live" && unfinished.to === "shadow") return { transition: unfinished, isUndo: false }
  const undo = unfinished === null || unfinished === next ? null : transitionBetween(unfinished.to, unfinished.from)
  if (undo !== null) return { transition: undo, isUndo: true }
  return next === null ? null : { transition: next, isUndo: false }
}
