import { type Holder, hasReached, holderAt, type Stage } from "../../domain/stage.ts"
import type { StepState } from "../api/people.ts"
import { type Transition, transitionBetween, transitions, transitionTowards } from "../transitions/transitions.ts"

/** The position of a person in the move, as `token_migration_status` has it. */
export interface Position {
  readonly stage: Stage
  /** The stage to which the step under way, or the last one, leads, and the state of that step. */
  readonly towards: Stage
  readonly state: StepState
  /** The sides that hold accounts of the person, by D1's rows. */
  readonly holders: ReadonlySet<Holder>
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

const [, toOff, , toDualWrite, toLive, toShadow] = transitions

/** The step that puts right a holder who contradicts the stage of a person. */
const toHolderOf: Readonly<Record<Stage, Step>> = {
  // The step that led back to this stage is taken once more: it takes the account back.
  off: { transition: toOff, isUndo: true },
  dual_write: { transition: toDualWrite, isUndo: true },
  shadow: { transition: toShadow, isUndo: true },
  // D1 got another account of somebody whose object holds the others: it is handed over like any account.
  live: { transition: toLive, isUndo: false },
  rampdown: { transition: toLive, isUndo: false },
  complete: { transition: toLive, isUndo: false },
}

/** Whether the side that should not, by the person's stage, holds an account of theirs, and no later step puts that right anyway. */
const isContradiction = ({ stage, holders }: Position, target: Stage): boolean =>
  holderAt(stage) === "object"
    ? holders.has("database") && hasReached(target, "live")
    : holders.has("object") && hasReached(stage, target)

/**
 * Chooses the next step of a person whose destination is `target`; `null` for none. An unfinished step that is on the way continues; any
 * other is undone first, by the transition that leads back, which copes with what is half-done. The hand-over back is always finished: an
 * object that has given up as of a later epoch cannot hold the account again before D1 has taken it. A holder that contradicts the
 * person's stage is put right first.
 */
export const chooseStep = (position: Position, target: Stage): Step | null => {
  const next = transitionTowards(position.stage, target)
  const unfinished = unfinishedOf(position)
  if (unfinished?.from === "live" && unfinished.to === "shadow") return { transition: unfinished, isUndo: false }
  if (isContradiction(position, target)) return toHolderOf[position.stage]
  const undo = unfinished === null || unfinished === next ? null : transitionBetween(unfinished.to, unfinished.from)
  if (undo !== null) return { transition: undo, isUndo: true }
  return next === null ? null : { transition: next, isUndo: false }
}
