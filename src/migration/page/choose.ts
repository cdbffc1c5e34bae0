import { nextStage, type Stage } from "../../domain/stage.ts"
import type { StepState } from "../api/people.ts"

/** Where somebody is, as `token_migration_status` says. */
export interface Position {
  readonly stage: Stage
  /** Where the step under way, or the last one, leads to, and how it stands. */
  readonly towards: Stage
  readonly state: StepState
}

/** One step: what is done is what leads from one stage to the other. */
export interface Step {
  readonly from: Stage
  readonly to: Stage
  /** Whether it undoes what an unfinished step may have done, so that the person is where `stage` says they are. */
  readonly isUndo: boolean
}

const isUnfinished = ({ state, stage, towards }: Position): boolean =>
  state !== "migrated" && state !== "rolled_back" && towards !== stage

/**
 * The next step of somebody who should be at `target`; `null` when there is none to take. A step that was begun and not finished goes
 * on if it is on the way; else it is undone first, by what leads back: each step copes with whatever it finds half-done. The hand-over
 * back alone is always finished: an object that has given up at a later epoch cannot hold the account again until D1 has taken it.
 */
export const chooseStep = (position: Position, target: Stage): Step | null => {
  const { stage, towards } = position
  const next = nextStage(stage, target)
  if (isUnfinished(position) && stage === "live" && towards === "shadow") {
    return { from: stage, to: towards, isUndo: false }
  }
  if (isUnfinished(position) && towards !== next) return { from: towards, to: stage, isUndo: true }
  return next === null ? null : { from: stage, to: next, isUndo: false }
}
