import { Effect } from "effect"
import type { UserId } from "../../domain/user.ts"
import { readPerson } from "../../move/person.ts"
import { handedOver, heldByDatabase } from "../../object/polling/Poller.ts"
import type { ProgressCallback } from "../../object/UserSubscriptionManager.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"

/**
 * Polls what the object holds. D1 is asked only when that is nothing: then its accounts are told, which the legacy poller polls in its
 * own time, or which are between the two. An idle poll asks D1 nothing.
 */
export const pollNow = Effect.fn("pollNow")(function* (
  env: CoreEnv,
  payload: { readonly userId: UserId },
  onProgress: ProgressCallback | undefined,
) {
  const summary = yield* personInObject(env, payload.userId).pollNow(onProgress)(payload)
  if (summary.accounts.length > 0) return summary
  const rows = yield* readPerson(env.DB, payload.userId)
  const active = rows.filter(({ isActive }) => isActive)
  const accounts = active.map(({ holder, provider }) =>
    holder === "database" ? heldByDatabase(provider) : handedOver(provider),
  )
  return { ...summary, accounts }
})
