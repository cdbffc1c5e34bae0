import { Clock, Effect } from "effect"
import { hasReached, type Stage } from "../../domain/stage.ts"
import { Database, type Statement, statement } from "../Database.ts"
import { newPageSettings, PageSettings } from "../person/PageSettings.ts"
import { type Candidate, candidatesAfter, decodeCandidates, positionOf } from "./candidates.ts"
import { chooseStep } from "./choose.ts"
import { leasePeople } from "./leasePeople.ts"
import type { PlannedStep } from "./PlannedStep.ts"
import { record } from "./record.ts"
import { logFailures, takeSteps } from "./takeSteps.ts"

/** Objects called at once. */
const concurrency = 20

/** A run whose page is under way gives a sign of life every 2 s; one that is silent for this long has none, in milliseconds. */
const silentMs = 60_000

// One side has given an account up, and the other may not have taken it: forward, D1 has, whatever stage the person was at; back, the
// object may have. A run that is at work ends its own.
const selectHalfDone = `SELECT status.user_id AS userId FROM token_migration_status status
  WHERE status.state IN ('copying', 'verifying', 'pending', 'failed')
    AND (status.stage = 'live' AND status.target = 'shadow' OR status.stage IN ('off', 'dual_write', 'shadow')
      AND EXISTS (SELECT 1 FROM user_accounts WHERE user_id = status.user_id AND holder = 'object'))
    AND NOT EXISTS (SELECT 1 FROM migration_runs run
      WHERE run.id = status.run_id AND run.state IN ('running', 'paused') AND run.updated_at > ?1)
  ORDER BY status.updated_at LIMIT ?2`

/** A hand-over forward goes on, unless a rollback keeps the person from it; any other leads back to the stage that the person is at. */
const targetOf = ({ ceiling }: Candidate, { stage, towards }: ReturnType<typeof positionOf>): Stage =>
  stage === "shadow" && towards === "live" && (ceiling === null || hasReached(ceiling, "live")) ? "live" : stage

const planHandOver = (candidate: Candidate): ReadonlyArray<PlannedStep> => {
  const { userId, attempts } = candidate
  const position = positionOf(candidate)
  const target = targetOf(candidate, position)
  const step = chooseStep(position, target)
  return step === null ? [] : [{ userId, position, step, target, attempts: attempts ?? 0, ceiling: null, lease: 0 }]
}

const candidatesOf = (userIds: ReadonlyArray<string>): Statement => candidatesAfter("", userIds.length, userIds)

/**
 * Finishes the hand-overs that nobody finishes any more, so that nobody is left without a holder: of runs that are over, and of those that
 * have been silent for a minute. Takes no other step: this is done under the kill switch too, as a page under way ends under it. At most so
 * many at once, the longest untouched first. Returns how many were finished.
 */
export const finishHandOvers = Effect.fn("finishHandOvers")(function* (atMost: number) {
  const database = yield* Database
  const now = yield* Clock.currentTimeMillis
  const halfDone = yield* database.rows("hand-overs", statement(selectHalfDone, now - silentMs, atMost))
  if (halfDone.length === 0) return 0
  const rows = yield* database.rows("people", candidatesOf(halfDone.map(({ userId }) => String(userId))))
  const candidates = yield* decodeCandidates(rows)
  let finished = 0
  for (const [run, group] of Map.groupBy(candidates, (candidate) => candidate.runId ?? "")) {
    const settings = newPageSettings({ concurrency, onAnswer: Effect.void })
    yield* Effect.gen(function* () {
      const taken = yield* takeSteps(yield* leasePeople(group.flatMap(planHandOver), run, { isRunOver: true }), run)
      yield* logFailures(taken)
      finished += (yield* record(taken, { runId: run, at: null })).taken
    }).pipe(Effect.provideService(PageSettings, settings))
  }
  yield* Effect.logWarning(`Hand-overs that were left half-done: ${halfDone.length} found, ${finished} finished`)
  return finished
})
