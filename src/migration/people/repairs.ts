import { Effect } from "effect"
import { ObjectUnavailable } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import { PersonNotFound } from "../../http/error.ts"
import { Core, type ObjectTimedOut } from "../Core.ts"
import { Database } from "../Database.ts"
import { candidatesAfter } from "../page/candidates.ts"

// What operators have one person's object do.

/** Fails for somebody of whom D1 knows nothing: asking an object would create it. */
const requirePerson = Effect.fnUntraced(function* (userId: UserId) {
  const database = yield* Database
  const rows = yield* database.rows("person", candidatesAfter("", 1, [userId]))
  if (rows.length === 0) return yield* new PersonNotFound({ userId })
})

const toUnavailable = ({ method }: ObjectTimedOut) =>
  Effect.fail(new ObjectUnavailable({ method, retryable: false, overloaded: false }))

/** Ends the pauses that providers asked for, of one account or of all. Returns the accounts that were paused. */
export const endPauses = Effect.fn("endPauses")(function* (userId: UserId, asked: { readonly provider?: Provider }) {
  const core = yield* Core
  yield* requirePerson(userId)
  return yield* Effect.catchTag(core.endPauses({ userId, ...asked }), "ObjectTimedOut", toUnavailable)
})

/** Has D1 sent again what it refused. */
export const redeliver = Effect.fn("redeliver")(function* (userId: UserId) {
  const core = yield* Core
  yield* requirePerson(userId)
  return yield* Effect.catchTag(core.redeliver({ userId }), "ObjectTimedOut", toUnavailable)
})
