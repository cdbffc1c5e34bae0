import { Effect, Schema } from "effect"
import { Progress } from "../api/runs.ts"

/** The progress of a run as it is stored. */
export const StoredProgress = Schema.Struct({
  ...Progress.fields,
  /** The Workflow instance that continues the run: each takes a limited number of steps. */
  instance: Schema.Int,
  /** Whether the run is cancelled, and the platform has not confirmed yet that its instance has ended. */
  isEnding: Schema.Boolean.pipe(Schema.withDecodingDefaultKey(Effect.succeed(false))),
})
export type StoredProgress = typeof StoredProgress.Type

export const emptyProgress: StoredProgress = {
  pass: 0,
  cursor: "",
  people: 0,
  steps: 0,
  taken: 0,
  arrived: 0,
  overtaken: 0,
  failedAttempts: 0,
  answers: 0,
  waitingUntil: null,
  routes: [],
  failures: [],
  reason: null,
  instance: 1,
  isEnding: false,
}

interface Measured {
  readonly startedAt: number
  readonly updatedAt: number
  readonly state: string
  readonly progress: Pick<StoredProgress, "steps" | "taken" | "arrived">
}

/** The pace of a run so far, and the time that the rest takes at that pace. Times are epoch milliseconds. */
export const ratesOf = ({ startedAt, updatedAt, state, progress: { steps, taken, arrived } }: Measured) => {
  const seconds = Math.max(updatedAt - startedAt, 1) / 1000
  const stepsPerSecond = taken / seconds
  const isMoving = state === "running" && taken > 0
  return {
    stepsPerSecond,
    peoplePerSecond: arrived / seconds,
    remainingMs: isMoving ? Math.round((Math.max(0, steps - taken) / stepsPerSecond) * 1000) : null,
  }
}
