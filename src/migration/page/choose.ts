import type { Stage } from "../../domain/stage.ts"
import type { StepState } from "../api/people.ts"
import { type Transition, transitionBetween, transitionTowards } from "../transitions/transitions.ts"

/** Where somebody is, as `token_migration_status` says. */
export interface Position {
  readonly stage: Stage
  /** Where the step under way, or the last one, leads to, and how it stands. */
  readonly towards: Stage
  readonly state: StepState
}

/** One step of one person. */
export interface Step {
  readonly transition: Transition
  /** Whether it undoes what an unfinished step may have done, so that the person is where `stage` says they are. */
  readonly isUndo: boolean
}

/** The step that was begun and not finished; `null` when there is none. Only a row written by hand leads to a stage that is no neighbour. */
const unfinishedOf = ({ state, stage, towards }: Position): Transition | null =>
  state === "migrated" || state === "rolled_back" ? null : transitionBetween(stage, towards)

/**
 * The next step of somebody who should be at `target`; `null` when there is none to take. A step that was begun and not finished goes
 * on if it is on the way; else it is undone first, by the transition that leads back: each copes with whatever it finds half-done. The
 * hand-over back alone is always finished: an object that has given up at a later epoch cannot hold the account again until D1 has
 * taken it.
 */
export const chooseStep = (position: Position, target: Stage): Step | null => {
  const next = transitionTowards(position.stage, target)
  const unfinished = unfinishedOf(position)
  if (unfinished?.from === "live" && unfinished.to === "shadow") return { transition: unfinished, isUndo: false }
  const undo = unfinished === null || unfinished === next ? null : transitionBetween(unfinished.to, unfinished.from)
  if (undo !== null) return { transition: undo, isUndo: true }
  return next === null ? null : { transition: next, isUndo: false }
}
