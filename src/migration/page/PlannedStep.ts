import type { Stage } from "../../domain/stage.ts"
import type { Position, Step } from "./choose.ts"

/** The step that a page takes one person: where they are, the step itself, and the stage to which the run takes them. */
export interface PlannedStep {
  readonly userId: string
  readonly position: Position
  readonly step: Step
  readonly target: Stage
  /** Attempts at this step that have failed so far. */
  readonly attempts: number
  /** A new ceiling, or `null`. */
  readonly ceiling: Stage | null
  /** The number of the lease that the page has on the person; 0 before it has one. */
  readonly lease: number
}

/** The stage recorded as under way until the step is recorded. A step that is being undone stays the one that is half-done. */
export const towardsOf = ({ transition: { from, to }, isUndo }: Step): Stage => (isUndo ? from : to)
