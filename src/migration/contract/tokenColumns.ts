import { Effect } from "effect"
import { Conflict } from "../../http/error.ts"
import { Database, statement } from "../Database.ts"

/** What the contract step drops. */
export const tokenColumns = ["access_token", "refresh_token", "expires_at", "scope"] as const

const select = "SELECT name FROM pragma_table_info('user_accounts') WHERE name IN (SELECT value FROM json_each(?1))"

/** The token columns that `user_accounts` has yet. */
export const readTokenColumns = Effect.fn("readTokenColumns")(function* () {
  const database = yield* Database
  const rows = yield* database.rows("columns", statement(select, JSON.stringify(tokenColumns)))
  return tokenColumns.filter((column) => rows.some(({ name }) => name === column))
})

/** Fails once the contract step has been taken: from then on there is nothing in D1 to move from, or back to. */
export const requireTokenColumns = Effect.fn("requireTokenColumns")(function* () {
  const columns = yield* readTokenColumns()
  if (columns.length === tokenColumns.length) return
  return yield* new Conflict({
    reason: "contract_done",
    detail: "The token columns have been dropped: nobody can be moved any more, forward or back",
  })
})
