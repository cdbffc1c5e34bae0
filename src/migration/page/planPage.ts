import { Clock, Effect } from "effect"
import { Database, statement } from "../Database.ts"
import { decodeFlags, rolloutOf, selectFlags } from "../Flags.ts"
import type { StartedRun } from "../runs/parameters.ts"
import { type Candidate, candidatesAfter, decodeCandidates, positionOf } from "./candidates.ts"
import { chooseStep } from "./choose.ts"
import { type Destination, destinationOf } from "./destination.ts"
import type { PlannedStep } from "./PlannedStep.ts"
import type { NewCeiling } from "./setCeilings.ts"

/** Where a page starts. */
export interface PageStart {
  /** The last user id of the page before; empty at the start of a pass. */
  readonly cursor: string
  /** Whether failed steps are retried before they are due. */
  readonly isImpatient: boolean
}

/** Which people of a page have a step to take, and which have only a new ceiling. */
interface PagePlan {
  /** `halted`: the kill switch is set. `stopped`: the run was paused, cancelled or ended. */
  readonly obstacle: "halted" | "stopped" | null
  readonly steps: ReadonlyArray<PlannedStep>
  readonly ceilings: ReadonlyArray<NewCeiling>
  /** When the first failed step that is not due yet becomes due: epoch milliseconds; `null` when there is none. */
  readonly dueAt: number | null
  /** The last user id of this page; `isEnd` when nobody comes after it. */
  readonly cursor: string
  readonly isEnd: boolean
  /** When the page was planned: epoch milliseconds. */
  readonly at: number
}

/** Candidates read for each step that a page may take: most people have no step to take most of the time. */
const candidatesPerStep = 4

const selectState = "SELECT state FROM migration_runs WHERE id = ?1"

const planStep = (candidate: Candidate, { target, ceiling }: Destination): PlannedStep | null => {
  const position = positionOf(candidate)
  const step = chooseStep(position, target)
  if (step === null) return null
  const { userId, attempts } = candidate
  return { userId, position, step, target, attempts: attempts ?? 0, ceiling, lease: 0 }
}

/** Plans the page after the cursor, by the flags and the state of the run as they are now. One request to D1. */
export const planPage = Effect.fn("planPage")(function* (run: StartedRun, { cursor, isImpatient }: PageStart) {
  const database = yield* Database
  const { pageSize, people } = run.parameters
  const readAtOnce = pageSize * candidatesPerStep
  const [states = [], flags = [], rows = []] = yield* database.batch("look", [
    statement(selectState, run.id),
    selectFlags,
    candidatesAfter(cursor, readAtOnce, people),
  ])
  const rollout = rolloutOf(yield* decodeFlags(flags))
  const candidates = yield* decodeCandidates(rows)
  const now = yield* Clock.currentTimeMillis
  const isRunning = states.some(({ state }) => state === "running" || state === "paused")
  const obstacle = isRunning ? (rollout.isHalted ? "halted" : null) : "stopped"
  if (obstacle !== null) {
    return { obstacle, steps: [], ceilings: [], dueAt: null, cursor, isEnd: true, at: now } satisfies PagePlan
  }

  const steps: Array<PlannedStep> = []
  const ceilings: Array<NewCeiling> = []
  let dueAt: number | null = null
  let last = cursor
  for (const candidate of candidates) {
    if (steps.length === pageSize) break
    last = candidate.userId
    const destination = destinationOf(candidate, run, rollout)
    if (destination === null) continue
    const planned = planStep(candidate, destination)
    const isDue = isImpatient || (candidate.nextAttemptAt ?? 0) <= now
    if (planned !== null && isDue) {
      steps.push(planned)
      continue
    }
    if (planned !== null) dueAt = Math.min(dueAt ?? Number.POSITIVE_INFINITY, candidate.nextAttemptAt ?? now)
    const { ceiling } = destination
    if (ceiling !== null) ceilings.push({ userId: candidate.userId, stage: positionOf(candidate).stage, ceiling })
  }
  const isEnd = candidates.length < readAtOnce && last === (candidates.at(-1)?.userId ?? cursor)
  return { obstacle: null, steps, ceilings, dueAt, cursor: last, isEnd, at: now } satisfies PagePlan
})
