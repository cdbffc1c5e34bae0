import { Clock, Effect, Random, Result } from "effect"
import { hasReached, type Stage } from "../../domain/stage.ts"
import { Database, type Statement, statement } from "../Database.ts"
import { PageSettings } from "../person/PageSettings.ts"
import type { Outcome, StepResult } from "../person/PersonInMove.ts"
import { failed, StepFailed } from "../person/reason.ts"
import { nextAttemptAt, overtakenAtMost } from "./backoff.ts"
import { type PlannedStep, towardsOf } from "./PlannedStep.ts"
import type { TakenStep } from "./takeSteps.ts"

/** How a step ended, as it is recorded. */
interface Entry {
  readonly userId: string
  readonly from: Stage
  readonly to: Stage
  readonly stage: Stage
  readonly towards: Stage
  readonly state: "migrated" | "rolled_back" | "failed" | "pending"
  readonly reason: string | null
  readonly attempts: number
  readonly nextAttemptAt: number | null
  readonly isVerified: boolean
  readonly isTaken: boolean
  readonly isArrived: boolean
  /** Whether the object that polls for the person changed, and which it is now. */
  readonly isObjectKnown: boolean
  readonly durableObjectId: string | null
  readonly generations: number | null
}

const toEntry = (
  { userId, position, step, target, attempts }: PlannedStep,
  outcome: Outcome<StepResult>,
  now: number,
  random: number,
): Entry => {
  const { from, to } = step.transition
  const nothing = {
    isVerified: false,
    isTaken: false,
    isArrived: false,
    isObjectKnown: false,
    durableObjectId: null,
    generations: null,
  }
  if (Result.isSuccess(outcome)) {
    const { isVerified, durableObjectId, generations } = outcome.success
    return {
      userId,
      from,
      to,
      stage: to,
      towards: to,
      state: hasReached(to, from) ? "migrated" : "rolled_back",
      reason: null,
      attempts: 0,
      nextAttemptAt: null,
      isVerified,
      isTaken: true,
      isArrived: to === target,
      isObjectKnown: durableObjectId !== undefined,
      durableObjectId: durableObjectId ?? null,
      generations: generations ?? null,
    }
  }
  const left = { userId, from, to, stage: position.stage, towards: towardsOf(step), ...nothing, attempts: attempts + 1 }
  const isFailed = outcome.failure instanceof StepFailed
  if (!isFailed && attempts + 1 < overtakenAtMost) {
    return { ...left, state: "pending", reason: null, nextAttemptAt: null }
  }
  const { reason } = isFailed ? outcome.failure : failed("overtaken", "each time")
  return { ...left, state: "failed", reason, nextAttemptAt: nextAttemptAt(attempts + 1, now, random) }
}

const ofThisPage = "status.user_id = entry.value->>'userId' AND status.lease = ?2 || ':done'"

// A page that has leased the person since knows better; and a copy of rows that have changed since is worth nothing.
const recordStatus = `UPDATE token_migration_status SET stage = entry.value->>'stage', target = entry.value->>'towards',
    state = entry.value->>'state', reason = entry.value->>'reason', attempts = entry.value->>'attempts',
    next_attempt_at = entry.value->>'nextAttemptAt', verified_at = iif(entry.value->>'isVerified', ?3, verified_at),
    lease = ?2 || ':done', updated_at = ?3
  FROM json_each(?1) entry
  WHERE token_migration_status.user_id = entry.value->>'userId' AND lease = ?2
    AND (entry.value->>'generations' IS NULL OR entry.value->>'generations' =
      (SELECT total(generation) FROM user_accounts WHERE user_id = entry.value->>'userId'))
  RETURNING user_id AS userId`

const recordHistory = `INSERT INTO token_migration_history (user_id, at, from_stage, to_stage, outcome, reason, run_id)
  SELECT status.user_id, ?3, entry.value->>'from', entry.value->>'to', entry.value->>'state', entry.value->>'reason', ?4
  FROM json_each(?1) entry JOIN token_migration_status status ON ${ofThisPage} WHERE entry.value->>'state' <> 'pending'`

const recordObjects = `INSERT INTO users (id, durable_object_id, created_at)
  SELECT status.user_id, entry.value->>'durableObjectId', ?3
  FROM json_each(?1) entry JOIN token_migration_status status ON ${ofThisPage} WHERE entry.value->>'isObjectKnown'
  ON CONFLICT (id) DO UPDATE SET durable_object_id = excluded.durable_object_id`

const counted = (condition: string) =>
  `(SELECT count(*) FROM json_each(?1) entry JOIN token_migration_status status ON ${ofThisPage} WHERE ${condition})`

const recordProgress = `UPDATE migration_runs SET updated_at = ?3, progress = json_set(progress, '$.pass', ?5, '$.cursor', ?6, '$.answers', 0,
    '$.taken', progress->>'$.taken' + ${counted("entry.value->>'isTaken'")},
    '$.arrived', progress->>'$.arrived' + ${counted("entry.value->>'isArrived'")},
    '$.failedAttempts', progress->>'$.failedAttempts' + ${counted("entry.value->>'state' = 'failed'")},
    '$.overtaken', progress->>'$.overtaken' + ${counted("entry.value->>'state' = 'pending'")})
  WHERE id = ?4`

interface PageRef {
  readonly runId: string
  /** The pass, and the last user id that it has planned so far; `null` for steps of a run that is over. */
  readonly at: { readonly pass: number; readonly cursor: string } | null
}

/** Steps of a page that were taken, that failed, and that begin again. */
interface Tally {
  readonly taken: number
  readonly failed: number
  readonly overtaken: number
}

/**
 * Records how the steps of a page ended: status, history, the person's object and the progress of the run, all or nothing, so that the
 * counts are right wherever a run is killed.
 */
export const record = Effect.fn("record")(function* (steps: ReadonlyArray<TakenStep>, { runId, at }: PageRef) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const now = yield* Clock.currentTimeMillis
  const entries: Array<Entry> = []
  for (const { planned, outcome } of steps) entries.push(toEntry(planned, outcome, now, yield* Random.next))
  const text = JSON.stringify(entries)
  const statements: ReadonlyArray<Statement> = [
    statement(recordStatus, text, lease, now),
    statement(recordHistory, text, lease, now, runId),
    statement(recordObjects, text, lease, now),
    ...(at === null ? [] : [statement(recordProgress, text, lease, now, runId, at.pass, at.cursor)]),
  ]
  const [recorded = []] = yield* database.batch("record", statements)
  const ids = new Set(recorded.map(({ userId }) => String(userId)))
  const written = entries.filter(({ userId }) => ids.has(userId))
  const taken = written.filter(({ isTaken }) => isTaken).length
  const failures = written.filter(({ state }) => state === "failed").length
  return { taken, failed: failures, overtaken: entries.length - taken - failures } satisfies Tally
})
