import { Clock, Effect, Option } from "effect"
import { askDatabase } from "../domain/database.ts"
import type { TokenSet } from "../domain/token.ts"
import { type AccountKey, accountColumns, decodeAccount, toStored } from "./account.ts"
import { rowsOf } from "./accounts.ts"

// A person's own doing goes before a refresh under way: it clears the claim, so that what the refresh brings is not written.

const written = `access_token = ?3->>'accessToken', refresh_token = ?3->>'refreshToken', expires_at = ?3->>'expiresAt',
  scope = ?3->>'scope', authorized_at = ?3->>'authorizedAt', client = ?3->>'client', state = 'connected', is_active = true,
  refusals = 0, refresh_retry_at = NULL, generation = generation + 1, refresh_claim = NULL, refresh_claimed_until = NULL, updated_at = ?4`

const ofOne = "user_accounts.user_id = ?1 AND user_accounts.provider = ?2"

const setStatement = `UPDATE user_accounts SET ${written}
  WHERE ${ofOne} AND holder = 'database' AND epoch = ?5 RETURNING ${accountColumns}`

const takeStatement = `UPDATE user_accounts SET ${written}, holder = 'database', epoch = ?6, fenced_until = NULL
  WHERE ${ofOne} AND holder = 'object' AND epoch = ?5 RETURNING ${accountColumns}`

const refuseStatement = `UPDATE user_accounts SET state = 'reauthorization_required', refresh_retry_at = NULL, updated_at = ?4
  WHERE ${ofOne} AND holder = 'database' AND generation = ?3 AND state = 'connected'`

const removeStatement = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL,
    authorized_at = NULL, client = NULL, state = 'disconnected', is_active = false, refusals = 0, refresh_retry_at = NULL,
    generation = generation + 1, refresh_claim = NULL, refresh_claimed_until = NULL, updated_at = ?3
  WHERE ${ofOne} AND holder = 'database' AND epoch = ?4 AND state <> 'disconnected' RETURNING generation`

const unfollowStatement = `DELETE FROM user_subscriptions WHERE user_id = ?1 AND provider = ?2 AND EXISTS (
  SELECT 1 FROM user_accounts WHERE ${ofOne} AND holder = 'database' AND epoch = ?3 AND state = 'disconnected')`

const write = Effect.fnUntraced(function* (
  database: D1Database,
  statement: string,
  { userId, provider }: AccountKey,
  tokens: TokenSet,
  epochs: ReadonlyArray<number>,
) {
  const now = yield* Clock.currentTimeMillis
  const grant = JSON.stringify(toStored(tokens))
  const rows = yield* rowsOf("set tokens", database.prepare(statement).bind(userId, provider, grant, now, ...epochs))
  return Option.flatMap(Option.fromNullishOr(rows[0]), decodeAccount)
})

/** `DatabaseGrants.set`. */
export const setGrant = (database: D1Database, account: AccountKey, tokens: TokenSet, epoch: number) =>
  write(database, setStatement, account, tokens, [epoch])

/** The epoch at which an object had the right, and the one at which it gave it up. */
export interface Epochs {
  readonly from: number
  readonly to: number
}

/** `DatabaseGrants.take`. */
export const takeGrant = (database: D1Database, account: AccountKey, tokens: TokenSet, { from, to }: Epochs) =>
  write(database, takeStatement, account, tokens, [from, to])

/** `DatabaseGrants.requireReauthorization`. */
export const refuseGrant = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  generation: number,
) {
  const now = yield* Clock.currentTimeMillis
  yield* rowsOf("refuse tokens", database.prepare(refuseStatement).bind(userId, provider, generation, now))
})

/** `DatabaseGrants.remove`. */
export const removeGrant = Effect.fnUntraced(function* (
  database: D1Database,
  { userId, provider }: AccountKey,
  epoch: number,
) {
  const now = yield* Clock.currentTimeMillis
  const [removed] = yield* askDatabase("remove tokens", () =>
    database.batch([
      database.prepare(removeStatement).bind(userId, provider, now, epoch),
      database.prepare(unfollowStatement).bind(userId, provider, epoch),
    ]),
  )
  return (removed?.results.length ?? 0) > 0
})
