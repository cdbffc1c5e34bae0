import { Clock, Effect, Option } from "effect"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"
import type { TokenSet } from "../domain/token.ts"
import { type AccountKey, type AccountRow, accountColumns, decodeAccount, toStored } from "./account.ts"
import { rowsOf } from "./accounts.ts"
import type { Epochs } from "./write.ts"

// What a person's own calls (`setToken`, `removeToken`) need of user_accounts beside `DatabaseGrants`: accounts that are new, and those
// that are on their way from one side to the other. Who finds another row than they read writes nothing.

const selectAll = `SELECT ${accountColumns} FROM user_accounts WHERE user_id = ?1`

const insertForObject = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder, epoch)
  VALUES (?1, ?2, 0, 'disconnected', ?3, 'object', ?4) ON CONFLICT DO NOTHING RETURNING ${accountColumns}`

// As it was inserted, and of nobody whom D1 knows otherwise: the object writes `users` with the first that it tells.
const withdrawStatement = `DELETE FROM user_accounts WHERE user_id = ?1 AND provider = ?2 AND holder = 'object' AND epoch = ?3
  AND state = 'disconnected' AND NOT is_active AND NOT EXISTS (SELECT 1 FROM users WHERE id = ?1)`

// Only beside another account that D1 holds, which is why this one is: a person who is erased meanwhile has none.
const insertWithTokens = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, holder, epoch, generation,
    access_token, refresh_token, expires_at, scope, authorized_at, client)
  SELECT ?1, ?2, 1, 'connected', ?3, 'database', ?4, 1, ?5->>'accessToken', ?5->>'refreshToken', ?5->>'expiresAt', ?5->>'scope',
    ?5->>'authorizedAt', ?5->>'client'
  WHERE EXISTS (SELECT 1 FROM user_accounts WHERE user_id = ?1 AND holder = 'database')
  ON CONFLICT DO NOTHING RETURNING ${accountColumns}`

const takeRemovedStatement = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL,
    authorized_at = NULL, client = NULL, is_active = 0, state = 'disconnected', holder = 'database', epoch = ?4, generation = generation + 1, fenced_until = NULL,
    updated_at = ?3
  WHERE user_id = ?1 AND provider = ?2 AND holder = 'object' AND epoch = ?5 RETURNING ${accountColumns}`

const unfollowStatement = `DELETE FROM user_subscriptions WHERE user_id = ?1 AND provider = ?2 AND EXISTS (
  SELECT 1 FROM user_accounts WHERE user_id = ?1 AND provider = ?2 AND holder = 'database' AND epoch = ?3 AND state = 'disconnected')`

const clearStatement = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL,
    generation = generation + 1
  WHERE user_id = ?1 AND provider = ?2 AND holder = 'object' AND (access_token IS NOT NULL OR refresh_token IS NOT NULL)`

const firstAccount = (rows: ReadonlyArray<unknown>): Option.Option<AccountRow> =>
  Option.flatMap(Option.fromNullishOr(rows[0]), decodeAccount)

/** All accounts of a person of which D1 has a row. */
export const readPerson = (
  database: D1Database,
  userId: string,
): Effect.Effect<ReadonlyArray<AccountRow>, DatabaseUnavailable> =>
  Effect.map(rowsOf("accounts of a person", database.prepare(selectAll).bind(userId)), (rows) =>
    rows.flatMap((row) => Option.toArray(decodeAccount(row))),
  )

/** Makes a new account the object's. To be done before the object begins, so that nobody makes it D1's in between. */
export const giveToObject = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  epoch: number,
) {
  const now = yield* Clock.currentTimeMillis
  const statement = database.prepare(insertForObject).bind(userId, provider, now, epoch)
  return firstAccount(yield* rowsOf("new account", statement))
})

/** Takes back what `giveToObject` inserted, for a person who was erased before the object began. */
export const withdrawFromObject = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  epoch: number,
) {
  yield* rowsOf("withdraw account", database.prepare(withdrawStatement).bind(userId, provider, epoch))
})

/** Makes a new account D1's; nothing where D1 holds no other account of the person any more. */
export const insertGrant = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  tokens: TokenSet,
  epoch: number,
) {
  const now = yield* Clock.currentTimeMillis
  const statement = database
    .prepare(insertWithTokens)
    .bind(userId, provider, now, epoch, JSON.stringify(toStored(tokens)))
  return firstAccount(yield* rowsOf("new account", statement))
})

/** Takes the right from an object that has given it up, for an account that the person is disconnecting. */
export const takeRemoved = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  { from, to }: Epochs,
) {
  const now = yield* Clock.currentTimeMillis
  const [taken] = yield* askDatabase("remove tokens", () =>
    database.batch([
      database.prepare(takeRemovedStatement).bind(userId, provider, now, to, from),
      database.prepare(unfollowStatement).bind(userId, provider, to),
    ]),
  )
  return firstAccount(taken?.results ?? [])
})

// Whose tokens the move has taken out of D1, and who is not on the way back.
const selectIsComplete =
  "SELECT 1 FROM token_migration_status WHERE user_id = ?1 AND stage = 'complete' AND target = 'complete'"

/**
 * Takes away the tokens that D1 may have of an account that the object holds: the mirror, or what is left of it. To be called when the
 * object has none any more, so that a rollback that begins meanwhile finds none to write.
 */
export const clearStored = Effect.fnUntraced(function* (database: D1Database, { userId, provider }: AccountKey) {
  const complete = yield* rowsOf("stage", database.prepare(selectIsComplete).bind(userId))
  if (complete.length > 0) return
  yield* askDatabase("clear tokens", () => database.prepare(clearStatement).bind(userId, provider).run()).pipe(
    // The contract step has dropped the columns, and what was in them.
    Effect.catchIf(
      ({ reason }) => reason.includes("no such column"),
      () => Effect.void,
    ),
  )
})
