import { Clock, Effect } from "effect"
import { ObjectUnavailable } from "../../domain/error.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import { PersonNotFound } from "../../http/error.ts"
import { Core, type ObjectTimedOut } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { candidatesAfter } from "../page/candidates.ts"

// What operators have done for one person: by the object, and by D1 for what that holds.

/** Fails for somebody of whom D1 knows nothing: asking an object would create it. */
const requirePerson = Effect.fnUntraced(function* (userId: UserId) {
  const database = yield* Database
  const rows = yield* database.rows("person", candidatesAfter("", 1, [userId]))
  if (rows.length === 0) return yield* new PersonNotFound({ userId })
})

const toUnavailable = ({ method }: ObjectTimedOut) =>
  Effect.fail(new ObjectUnavailable({ method, retryable: false, overloaded: false }))

const endInDatabase = `UPDATE user_accounts SET refresh_retry_at = NULL
  WHERE user_id = ?1 AND provider = coalesce(?2, provider) AND +holder = 'database' AND state = 'connected' AND refresh_retry_at > ?3
  RETURNING provider`

/** Ends the pauses that providers asked for, of one account or of all. Returns the accounts that were paused. */
export const endPauses = Effect.fn("endPauses")(function* (userId: UserId, asked: { readonly provider?: Provider }) {
  const core = yield* Core
  const database = yield* Database
  yield* requirePerson(userId)
  const now = yield* Clock.currentTimeMillis
  const rows = yield* database.rows("end pauses", statement(endInDatabase, userId, asked.provider ?? null, now))
  const { ended } = yield* Effect.catchTag(core.endPauses({ userId, ...asked }), "ObjectTimedOut", toUnavailable)
  return {
    ended: providers.filter((provider) => ended.includes(provider) || rows.some((row) => row["provider"] === provider)),
  }
})

/** Has D1 sent again what it refused. */
export const redeliver = Effect.fn("redeliver")(function* (userId: UserId) {
  const core = yield* Core
  yield* requirePerson(userId)
  return yield* Effect.catchTag(core.redeliver({ userId }), "ObjectTimedOut", toUnavailable)
})
