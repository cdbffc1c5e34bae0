import { Clock, Effect } from "effect"
import type { Stage } from "../../domain/stage.ts"
import { Database, statement } from "../Database.ts"
import { isKnown } from "../person/accounts.ts"
import { runIsUnderWay } from "../runs/Runs.ts"

const write = `INSERT INTO token_migration_status (user_id, stage, target, state, run_id, ceiling, updated_at)
  SELECT kept.value->>'userId', kept.value->>'stage', kept.value->>'stage', 'rolled_back', ?2, kept.value->>'ceiling', ?3
  FROM json_each(?1) kept WHERE ${runIsUnderWay(2)} AND ${isKnown("kept.value->>'userId'")}
  ON CONFLICT (user_id) DO UPDATE SET ceiling = excluded.ceiling, updated_at = excluded.updated_at`

/** A person who has no step to take and gets a new ceiling. */
export interface NewCeiling {
  readonly userId: string
  readonly stage: Stage
  readonly ceiling: Stage
}

/** Sets the ceilings of people who have no step to take: a rollback applies to them too. */
export const setCeilings = Effect.fn("setCeilings")(function* (people: ReadonlyArray<NewCeiling>, runId: string) {
  const database = yield* Database
  if (people.length === 0) return
  const now = yield* Clock.currentTimeMillis
  yield* database.rows("keep", statement(write, JSON.stringify(people), runId, now))
})
