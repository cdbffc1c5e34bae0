import { Effect, Result } from "effect"
import { Database, statement } from "../Database.ts"
import { type AccountRow, toCarry } from "../person/accounts.ts"
import { failed, unreadableRow } from "../person/reason.ts"

/** Other people named at most. */
const othersAtMost = 5

// The same rule as the survey's: an account that nobody may use invalidates no token.
const selectOthers = `SELECT other.user_id AS userId, other.provider FROM user_accounts mine
  JOIN user_accounts other ON other.provider = mine.provider AND other.refresh_token = mine.refresh_token AND other.user_id <> mine.user_id
  WHERE mine.user_id = ?1 AND mine.refresh_token <> '' AND mine.is_active AND mine.state = 'connected'
    AND other.is_active AND other.state = 'connected' ORDER BY other.user_id LIMIT ${othersAtMost}`

/**
 * Finds what prevents D1's grants of a person from being copied to an object, as their rows are now; `null` for nothing. `rows`: all
 * their accounts, `null` standing for a row that cannot be read.
 */
export const findObstacle = Effect.fn("findObstacle")(function* (
  userId: string,
  rows: ReadonlyArray<AccountRow | null>,
) {
  if (rows.includes(null)) return unreadableRow()
  const toCopy = rows.filter((row) => row !== null).filter(({ holder }) => holder === "database")
  for (const row of toCopy) {
    const carried = toCarry(row)
    if (Result.isFailure(carried)) return carried.failure
  }
  // Once the token columns are dropped, D1 holds nothing and is not asked for them.
  if (toCopy.length === 0) return null
  const database = yield* Database
  const [first, ...rest] = yield* database.rows("duplicates", statement(selectOthers, userId))
  if (first === undefined) return null
  const others = [first, ...rest].map((other) => String(other["userId"])).join(", ")
  return failed(
    "duplicate_account",
    `${others}: the same ${String(first["provider"])} grant; remove it from all but one of them`,
  )
})
