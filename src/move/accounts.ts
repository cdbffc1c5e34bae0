import { Effect, Option } from "effect"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"
import {
  type AccountKey,
  type AccountRow,
  accountColumns,
  decodeAccount,
  decodeGrant,
  decodeHeld,
  grantColumns,
  type HeldRow,
  heldColumns,
  keyOf,
} from "./account.ts"

// CROSS JOIN: from the rows of the parameter to the table, by its key; never from everybody to the parameter.
const ofThose = `FROM json_each(?1) wanted CROSS JOIN user_accounts
  ON user_accounts.user_id = wanted.value->>'userId' AND user_accounts.provider = wanted.value->>'provider'`

const keysOf = (accounts: ReadonlyArray<AccountKey>) =>
  JSON.stringify(accounts.map(({ userId, provider }) => ({ userId, provider })))

const byKey = <Row extends AccountKey>(rows: ReadonlyArray<unknown>, decode: (row: unknown) => Option.Option<Row>) =>
  new Map(rows.flatMap((row) => Option.toArray(decode(row))).map((row) => [keyOf(row), row]))

/** Runs a statement and gives its rows. */
export const rowsOf = (operation: string, statement: D1PreparedStatement) =>
  Effect.map(
    askDatabase(operation, () => statement.all()),
    ({ results }): ReadonlyArray<unknown> => results,
  )

/** The accounts of which there is a row, by {@link keyOf}, without their tokens. One statement. */
export const readAccounts = (
  database: D1Database,
  accounts: ReadonlyArray<AccountKey>,
): Effect.Effect<ReadonlyMap<string, AccountRow>, DatabaseUnavailable> =>
  rowsOf("accounts", database.prepare(`SELECT ${accountColumns} ${ofThose}`).bind(keysOf(accounts))).pipe(
    Effect.map((rows) => byKey(rows, decodeAccount)),
  )

/** Those of the accounts that D1 holds, by {@link keyOf}, with their grants. One statement. */
export const readHeld = (
  database: D1Database,
  accounts: ReadonlyArray<AccountKey>,
): Effect.Effect<ReadonlyMap<string, HeldRow>, DatabaseUnavailable> => {
  const statement = database.prepare(`SELECT ${heldColumns} ${ofThose} WHERE holder = 'database'`)
  return Effect.map(rowsOf("grants", statement.bind(keysOf(accounts))), (rows) => byKey(rows, decodeHeld))
}

/** The grant that D1 has of an account, whoever holds it; `None` where it cannot be used. Fails once the token columns are dropped. */
export const readTokens = (database: D1Database, { userId, provider }: AccountKey) =>
  rowsOf(
    "stored grant",
    database
      .prepare(`SELECT ${grantColumns} FROM user_accounts WHERE user_id = ?1 AND provider = ?2`)
      .bind(userId, provider),
  ).pipe(Effect.map((rows) => Option.flatMap(Option.fromNullishOr(rows[0]), decodeGrant)))
