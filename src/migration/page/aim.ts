import { type Rollout, targetOf } from "../../domain/rollout.ts"
import { earlierStage, type Stage } from "../../domain/stage.ts"
import type { RunParameters } from "../runs/parameters.ts"
import { type Candidate, positionOf, startedInObject } from "./candidates.ts"

/** Where a run wants somebody to be. */
export interface Aim {
  readonly target: Stage
  /** The stage beyond which they are not taken from now on; `null` leaves that as it is. */
  readonly ceiling: Stage | null
}

const below = (stage: Stage, ceiling: Stage | null): Stage => (ceiling === null ? stage : earlierStage(stage, ceiling))

/** The flags, under what a rollback left. */
const aimOfMove = (candidate: Candidate, rollout: Rollout): Aim | null => {
  if (startedInObject(candidate)) return null
  const { stage } = positionOf(candidate)
  return { target: below(targetOf(rollout, candidate.userId, stage), candidate.ceiling), ceiling: null }
}

/** Never forward: nobody comes nearer to the object by a rollback. */
const aimOfRollback = (
  candidate: Candidate,
  runId: string,
  to: Stage,
  { at, includesBorn }: RunParameters,
): Aim | null => {
  if (startedInObject(candidate) && !includesBorn) return null
  const { stage } = positionOf(candidate)
  // Whoever was at that stage when the run met them first stays in it while it takes them back.
  const isMeant = at === null || stage === at || (candidate.runId === runId && candidate.ceiling !== null)
  if (!isMeant) return null
  const ceiling = below(to, candidate.ceiling)
  return { target: below(stage, ceiling), ceiling: ceiling === candidate.ceiling ? null : ceiling }
}

/** Where a run wants somebody to be; `null` for those whom it does not concern. */
export const aimOf = (
  candidate: Candidate,
  run: { readonly id: string; readonly parameters: RunParameters },
  rollout: Rollout,
): Aim | null => {
  const { to } = run.parameters
  return to === null ? aimOfMove(candidate, rollout) : aimOfRollback(candidate, run.id, to, run.parameters)
}
