import { Clock, Effect } from "effect"
import type { Stage } from "../../domain/stage.ts"
import { Database, statement } from "../Database.ts"
import { decodeFlags, selectFlags, toRollout } from "../Flags.ts"
import type { RunParameters } from "../runs/parameters.ts"
import { type Aim, aimOf } from "./aim.ts"
import { type Candidate, candidatesAfter, decodeCandidates, positionOf } from "./candidates.ts"
import { chooseStep } from "./choose.ts"
import type { InHand } from "./record.ts"

/** A run, as its pages know it. */
export interface RunInHand {
  readonly id: string
  readonly parameters: RunParameters
}

/** Where a page begins. */
export interface From {
  /** Whose user id was looked at last; empty at the start of a pass. */
  readonly cursor: string
  /** Whether failed steps are tried again before they are due. */
  readonly isImpatient: boolean
}

/** What a page found: who has a step to take, and who has not. */
interface Found {
  /** `halted`: the kill switch is set. `stopped`: the run is no longer to go on. */
  readonly obstacle: "halted" | "stopped" | null
  readonly toMove: ReadonlyArray<InHand>
  /** People without a step whom a rollback keeps where they are. */
  readonly toKeep: ReadonlyArray<{ readonly userId: string; readonly stage: Stage; readonly ceiling: Stage }>
  /** When the first of those is due who have failed and wait; `null` when nobody does. */
  readonly dueAt: number | null
  /** The last user id looked at; `isEnd` when nobody comes after it. */
  readonly cursor: string
  readonly isEnd: boolean
  /** When it was looked: epoch milliseconds. */
  readonly at: number
}

/** People looked at by one page, for each that it may take: most of them have no step to take most of the time. */
const looksPerMover = 4

const selectState = "SELECT state FROM migration_runs WHERE id = ?1"

const toInHand = (candidate: Candidate, aim: Aim): InHand | null => {
  const position = positionOf(candidate)
  const step = chooseStep(position, aim.target)
  if (step === null) return null
  const { userId, attempts } = candidate
  return { userId, position, step, target: aim.target, attempts: attempts ?? 0, ceiling: aim.ceiling }
}

/** Looks at who comes after the cursor, and at what the operators say by now. One request to D1. */
export const look = Effect.fn("look")(function* (run: RunInHand, { cursor, isImpatient }: From) {
  const database = yield* Database
  const { pageSize, people } = run.parameters
  const lookedAt = pageSize * looksPerMover
  const [states = [], flags = [], rows = []] = yield* database.batch("look", [
    statement(selectState, run.id),
    selectFlags,
    candidatesAfter(cursor, lookedAt, people),
  ])
  const rollout = toRollout(yield* decodeFlags(flags))
  const candidates = yield* decodeCandidates(rows)
  const now = yield* Clock.currentTimeMillis
  const isRunning = states.some(({ state }) => state === "running" || state === "paused")
  const obstacle = isRunning ? (rollout.isHalted ? "halted" : null) : "stopped"
  if (obstacle !== null) return { obstacle, toMove: [], toKeep: [], dueAt: null, cursor, isEnd: true, at: now } as const

  const toMove: Array<InHand> = []
  const toKeep: Array<Found["toKeep"][number]> = []
  let dueAt: number | null = null
  let last = cursor
  for (const candidate of candidates) {
    if (toMove.length === pageSize) break
    last = candidate.userId
    const aim = aimOf(candidate, run, rollout)
    if (aim === null) continue
    const inHand = toInHand(candidate, aim)
    const isDue = isImpatient || (candidate.nextAttemptAt ?? 0) <= now
    if (inHand !== null && isDue) {
      toMove.push(inHand)
      continue
    }
    if (inHand !== null) dueAt = Math.min(dueAt ?? Number.POSITIVE_INFINITY, candidate.nextAttemptAt ?? now)
    if (aim.ceiling !== null)
      toKeep.push({ userId: candidate.userId, stage: positionOf(candidate).stage, ceiling: aim.ceiling })
  }
  const isEnd = candidates.length < lookedAt && last === (candidates.at(-1)?.userId ?? cursor)
  return { obstacle: null, toMove, toKeep, dueAt, cursor: last, isEnd, at: now } satisfies Found
})

/** Whether a run carries anything from D1 to an object. */
export const isCarryingRun = ({ parameters }: RunInHand): boolean => parameters.kind === "move"
