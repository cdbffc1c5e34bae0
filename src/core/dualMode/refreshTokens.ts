import { Effect } from "effect"
import { AccountNotConnected } from "../../domain/error.ts"
import { type Provider, providers } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import type { AccountRow } from "../../move/account.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"
import { databaseGrantsLayer } from "./databaseGrants.ts"
import { heldInDatabase } from "./elsewhere.ts"

interface Wanted {
  readonly userId: UserId
  readonly provider?: Provider
  readonly force?: boolean
}

const refreshInDatabase = Effect.fnUntraced(function* (
  { userId, provider, generation }: AccountRow,
  { force }: { readonly force: boolean },
) {
  const grants = yield* DatabaseGrants
  const account = { userId, provider }
  return yield* (force ? grants.refresh(account, generation) : grants.accessToken(account)).pipe(
    Effect.map((token) => ({
      provider,
      outcome: token.generation === generation ? ("still_valid" as const) : ("refreshed" as const),
      expiresAt: token.expiresAt,
      reason: null,
    })),
    Effect.catch((error) =>
      Effect.succeed({
        provider,
        outcome: error._tag === "ReauthorizationRequired" ? ("reauthorization_required" as const) : ("failed" as const),
        expiresAt: null,
        reason: error.message,
      }),
    ),
  )
})

/** Refreshes one grant of a person, or all, each by whoever holds it. */
export const refreshTokens = Effect.fn("refreshTokens")(function* (env: CoreEnv, payload: Wanted) {
  const { userId, provider, force = false } = payload
  const { accounts } = yield* personInObject(env, userId)
    .refreshTokens(payload)
    .pipe(Effect.catchTag("AccountNotConnected", () => Effect.succeed({ accounts: [] })))
  const answered = accounts.map((account) => account.provider)
  const rows = yield* heldInDatabase(env, userId, answered, provider === undefined ? providers : [provider])
  if (provider !== undefined && accounts.length + rows.length === 0) return yield* new AccountNotConnected({ provider })
  if (rows.length === 0) return { accounts }
  const refreshed = yield* Effect.forEach(rows, (row) => refreshInDatabase(row, { force }), {
    concurrency: "unbounded",
  }).pipe(Effect.provide(databaseGrantsLayer(env)))
  return { accounts: [...accounts, ...refreshed] }
})
