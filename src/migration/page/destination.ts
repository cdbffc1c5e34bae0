import { type Rollout, targetOf } from "../../domain/rollout.ts"
import { earlierStage, type Stage } from "../../domain/stage.ts"
import type { RunParameters, StartedRun } from "../runs/parameters.ts"
import { type Candidate, positionOf, startedInObject } from "./candidates.ts"

/** The stage to which a run takes a person. */
export interface Destination {
  readonly target: Stage
  /** The stage that later runs do not take the person beyond; `null` leaves the ceiling as it is. */
  readonly ceiling: Stage | null
}

const atMost = (stage: Stage, ceiling: Stage | null): Stage => (ceiling === null ? stage : earlierStage(stage, ceiling))

/** A move takes people to the stage that the flags say, or to their ceiling if that comes first. */
const destinationOfMove = (candidate: Candidate, rollout: Rollout): Destination | null => {
  if (startedInObject(candidate)) return null
  const { stage } = positionOf(candidate)
  return { target: atMost(targetOf(rollout, candidate.userId, stage), candidate.ceiling), ceiling: null }
}

/** A rollback never takes people forward. */
const destinationOfRollback = (
  candidate: Candidate,
  runId: string,
  to: Stage,
  { at, includesStartedInObject }: RunParameters,
): Destination | null => {
  if (startedInObject(candidate) && !includesStartedInObject) return null
  const { stage } = positionOf(candidate)
  // A person who was at that stage when the rollback reached them stays in it while it takes them back step by step.
  const isIncluded = at === null || stage === at || (candidate.runId === runId && candidate.ceiling !== null)
  if (!isIncluded) return null
  const ceiling = atMost(to, candidate.ceiling)
  return { target: atMost(stage, ceiling), ceiling: ceiling === candidate.ceiling ? null : ceiling }
}

/** The destination of a person in a run; `null` for people whom the run leaves alone. */
export const destinationOf = (candidate: Candidate, run: StartedRun, rollout: Rollout): Destination | null => {
  const { to } = run.parameters
  return to === null
    ? destinationOfMove(candidate, rollout)
    : destinationOfRollback(candidate, run.id, to, run.parameters)
}
