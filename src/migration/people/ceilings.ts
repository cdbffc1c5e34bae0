import { Effect } from "effect"
import { Database, statement } from "../Database.ts"

/** Ceilings that one statement clears. */
const clearedAtOnce = 10_000

const hasCeiling = "ceiling IS NOT NULL AND (?1 IS NULL OR user_id IN (SELECT value FROM json_each(?1)))"

const count = `SELECT count(*) AS people FROM token_migration_status WHERE ${hasCeiling}`

const clear = `UPDATE token_migration_status SET ceiling = NULL WHERE user_id IN (
    SELECT user_id FROM token_migration_status
    WHERE ${hasCeiling} LIMIT ${clearedAtOnce})
  RETURNING 1`

const toList = (people: ReadonlyArray<string> | undefined) => (people === undefined ? null : JSON.stringify(people))

/** Counts the ceilings that `clearCeilings` would clear. */
export const countCeilings = Effect.fn("countCeilings")(function* (people: ReadonlyArray<string> | undefined) {
  const database = yield* Database
  const [counted] = yield* database.rows("ceilings", statement(count, toList(people)))
  return { lifted: Number(counted?.["people"]) }
})

/** Clears the ceilings that rollbacks set: of these people, or of everybody. Returns how many. */
export const clearCeilings = Effect.fn("clearCeilings")(function* (people: ReadonlyArray<string> | undefined) {
  const database = yield* Database
  const named = toList(people)
  let lifted = 0
  for (;;) {
    const rows = yield* database.rows("clear ceilings", statement(clear, named))
    lifted += rows.length
    if (rows.length < clearedAtOnce) return { lifted }
  }
})
