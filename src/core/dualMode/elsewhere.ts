import { Effect } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "../../move/account.ts"
import { readPerson } from "../../move/person.ts"
import type { CoreEnv } from "../env.ts"

/**
 * The person's connected accounts that D1 holds, beside those that the object has answered for. While D1 is down, what the object has
 * answered is the answer, if it is anything at all.
 */
export const heldInDatabase = Effect.fnUntraced(function* (
  env: CoreEnv,
  userId: UserId,
  answered: ReadonlyArray<Provider>,
  wanted: ReadonlyArray<Provider>,
) {
  const missing = wanted.filter((provider) => !answered.includes(provider))
  if (missing.length === 0) return []
  const rows = yield* readPerson(env.DB, userId).pipe(
    Effect.catch((error) => (answered.length > 0 ? Effect.succeed([]) : Effect.fail(error))),
  )
  const isTheirs = ({ provider, holder, isActive, state }: AccountRow) =>
    missing.includes(provider) && holder === "database" && isActive && state !== "disconnected"
  return rows.filter(isTheirs)
})
