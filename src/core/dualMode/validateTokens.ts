import { Effect, Layer } from "effect"
import { providers } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import type { AccountKey } from "../../move/account.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import type { CoreEnv } from "../env.ts"
import { personInObject } from "../object.ts"
import { clientsLayer, databaseGrantsLayer } from "./databaseGrants.ts"
import { heldInDatabase } from "./elsewhere.ts"

const validateInDatabase = Effect.fnUntraced(function* (account: AccountKey) {
  const { provider } = account
  const grants = yield* DatabaseGrants
  const { validate } = (yield* ProviderClients)[provider]
  const token = yield* grants.accessToken(account)
  yield* grants.withToken(account, token, ({ accessToken }) => validate(accessToken))
})

/** Tries every grant of a person, by whoever holds it. */
export const validateTokens = Effect.fn("validateTokens")(function* (
  env: CoreEnv,
  payload: { readonly userId: UserId },
) {
  const { accounts } = yield* personInObject(env, payload.userId).validateTokens(payload)
  const answered = accounts.map(({ provider }) => provider)
  const rows = yield* heldInDatabase(env, payload.userId, answered, providers)
  if (rows.length === 0) return { accounts }
  const checked = yield* Effect.forEach(
    rows,
    ({ userId, provider }) =>
      validateInDatabase({ userId, provider }).pipe(
        Effect.as({ provider, isValid: true, reason: null }),
        Effect.catch((error) =>
          Effect.succeed({ provider, isValid: false, reason: error.message === "" ? error._tag : error.message }),
        ),
      ),
    { concurrency: "unbounded" },
  ).pipe(Effect.provide(Layer.merge(databaseGrantsLayer(env), clientsLayer(env))))
  return { accounts: [...accounts, ...checked] }
})
