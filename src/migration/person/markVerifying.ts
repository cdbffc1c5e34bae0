import { Effect } from "effect"
import { Database, statement } from "../Database.ts"
import { PageSettings } from "./PageSettings.ts"

const verifying = `UPDATE token_migration_status SET state = 'verifying'
  WHERE lease = ?2 AND user_id IN (SELECT value FROM json_each(?1))`

/** Sets the state of these people to `verifying`, for operators who watch. */
export const markVerifying = Effect.fn("markVerifying")(function* (people: ReadonlyArray<{ readonly userId: string }>) {
  const database = yield* Database
  const { lease } = yield* PageSettings
  if (people.length === 0) return
  const userIds = JSON.stringify(people.map(({ userId }) => userId))
  yield* database.rows("mark", statement(verifying, userIds, lease))
})
