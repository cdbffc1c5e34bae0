import { Clock, Effect } from "effect"
import { Database, statement } from "../Database.ts"
import { PageSettings } from "../person/PageSettings.ts"
import { type PlannedStep, towardsOf } from "./PlannedStep.ts"

// A person who has changed stage since the page was planned is left alone.
const write = `INSERT INTO token_migration_status (user_id, stage, target, state, run_id, lease, ceiling, updated_at)
  SELECT marked.value->>'userId', marked.value->>'stage', marked.value->>'towards', 'copying', ?2, ?3, marked.value->>'ceiling', ?4
  FROM json_each(?1) marked WHERE true
  ON CONFLICT (user_id) DO UPDATE SET target = excluded.target, state = excluded.state, run_id = excluded.run_id,
    lease = excluded.lease, ceiling = coalesce(excluded.ceiling, ceiling), updated_at = excluded.updated_at
  WHERE token_migration_status.stage = excluded.stage RETURNING user_id AS userId`

/** Writes the page's lease to these people, and returns the steps of those who took it. A later lease takes the place of an earlier one. */
export const leasePeople = Effect.fn("leasePeople")(function* (steps: ReadonlyArray<PlannedStep>, runId: string) {
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
  const leased = yield* database.rows("mark", statement(write, JSON.stringify(rows), runId, lease, now))
  const ids = new Set(leased.map(({ userId }) => String(userId)))
  return steps.filter(({ userId }) => ids.has(userId))
})
