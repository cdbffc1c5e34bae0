import { Clock, Effect } from "effect"
import { Database, statement } from "../Database.ts"
import { isKnown } from "../person/accounts.ts"
import { PageSettings } from "../person/PageSettings.ts"
import { runIsUnderWay } from "../runs/Runs.ts"
import { type PlannedStep, towardsOf } from "./PlannedStep.ts"

interface LeaseOptions {
  /** Whether the lease is taken for a run that is over, to end what it has begun. */
  readonly isRunOver: boolean
}

// A person who has changed stage since the page was planned is left alone.
// Its number is later than any that an object may have seen, even if the row of an earlier one is gone: hence the time.
const write = `INSERT INTO token_migration_status (user_id, stage, target, state, run_id, lease, lease_number, ceiling, updated_at)
  SELECT marked.value->>'userId', marked.value->>'stage', marked.value->>'towards', 'copying', ?2, ?3, ?4, marked.value->>'ceiling', ?4
  FROM json_each(?1) marked WHERE (?5 OR ${runIsUnderWay(2)}) AND ${isKnown("marked.value->>'userId'")}
  ON CONFLICT (user_id) DO UPDATE SET target = excluded.target, state = excluded.state, run_id = excluded.run_id,
    lease = excluded.lease,
    lease_number = max(token_migration_status.lease_number + 1, excluded.lease_number),
    ceiling = coalesce(excluded.ceiling, ceiling), updated_at = excluded.updated_at
  WHERE token_migration_status.stage = excluded.stage RETURNING user_id AS userId, lease_number AS lease`

/**
 * Writes the page's lease to these people, and returns the steps of those who took it. A later lease takes the place of an earlier
 * one. A page of a run that was cancelled meanwhile gets none.
 */
export const leasePeople = Effect.fn("leasePeople")(function* (
  steps: ReadonlyArray<PlannedStep>,
  runId: string,
  { isRunOver }: LeaseOptions = { isRunOver: false },
) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  const now = yield* Clock.currentTimeMillis
  if (steps.length === 0) return []
  const rows = steps.map(({ userId, position: { stage }, step, ceiling }) => ({
    userId,
    stage,
    towards: towardsOf(step),
    ceiling,
  }))
  const leased = yield* database.rows(
    "mark",
    statement(write, JSON.stringify(rows), runId, lease, now, isRunOver ? 1 : 0),
  )
  const numbers = new Map(leased.map((row) => [String(row["userId"]), Number(row["lease"])]))
  return steps.flatMap((step) => {
    const number = numbers.get(step.userId)
    return number === undefined ? [] : [{ ...step, lease: number }]
  })
})
