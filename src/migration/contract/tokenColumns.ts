import { Effect } from "effect"
import { Conflict } from "../../http/error.ts"
import { Database, statement } from "../Database.ts"

/** The columns that the drop step drops. */
export const tokenColumns = ["access_token", "refresh_token", "expires_at", "scope"] as const

const select = "SELECT name FROM pragma_table_info('user_accounts') WHERE name IN (SELECT value FROM json_each(?1))"

/** Reads which of the token columns `user_accounts` still has. */
export const readTokenColumns = Effect.fn("readTokenColumns")(function* () {
  const database = yield* Database
  const rows = yield* database.rows("columns", statement(select, JSON.stringify(tokenColumns)))
  return tokenColumns.filter((column) => rows.some(({ name }) => name === column))
})

/** Fails after the drop step: D1 has no columns any more to move tokens from, or back to. */
export const requireTokenColumns = Effect.fn("requireTokenColumns")(function* () {
  const columns = yield* readTokenColumns()
  if (columns.length === tokenColumns.length) return
  return yield* new Conflict({
    reason: "contract_done",
    detail: "The token columns have been dropped, so nobody can be moved any more, forward or back",
  })
})
