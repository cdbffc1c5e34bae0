import { Context, Effect, Layer, Result } from "effect"
import { AccountNotConnected, type DatabaseUnavailable } from "../domain/error.ts"
import { type AccountKey, keyOf, type UsableToken } from "../move/account.ts"
import { DatabaseGrants } from "../move/DatabaseGrants.ts"
import type { GrantError, GrantResult } from "../move/renew.ts"
import type { RequestError, SourceMissing } from "../providers/error.ts"
import type { AccessToken } from "../providers/provider.ts"
import type { RunSpent } from "./error.ts"
import { Hold } from "./Hold.ts"

/** Why a request on behalf of an account brought nothing. */
export type AskError = GrantError | SourceMissing | RunSpent

/** Access tokens for the legacy poller: those of a batch at once, five minutes ahead, each refreshed by whoever claims it in D1. */
export class TokenRefreshService extends Context.Service<
  TokenRefreshService,
  {
    /** Gets the tokens of a batch ready, in the order given. */
    readonly prepare: (
      accounts: ReadonlyArray<AccountKey>,
    ) => Effect.Effect<ReadonlyArray<GrantResult>, DatabaseUnavailable>
    /** Runs a request with a token that was made ready; one that the provider rejects is refreshed and used once more. */
    readonly withToken: <A>(
      account: AccountKey,
      use: (token: AccessToken) => Effect.Effect<A, RequestError>,
    ) => Effect.Effect<A, AskError>
  }
>()("pollen/legacy/TokenRefreshService") {
  static readonly layer = Layer.effect(
    TokenRefreshService,
    Effect.gen(function* () {
      const grants = yield* DatabaseGrants
      const hold = yield* Hold
      const ready = new Map<string, UsableToken>()

      const prepare = Effect.fn("TokenRefreshService.prepare")(function* (accounts: ReadonlyArray<AccountKey>) {
        const results = yield* grants.accessTokens(accounts)
        results.forEach((result, index) => {
          const account = accounts[index]
          if (account !== undefined && Result.isSuccess(result)) ready.set(keyOf(account), result.success)
        })
        return results
      })

      const withToken = Effect.fnUntraced(function* <A>(
        account: AccountKey,
        use: (token: AccessToken) => Effect.Effect<A, RequestError>,
      ) {
        const { provider } = account
        const first = ready.get(keyOf(account))
        if (first === undefined) return yield* new AccountNotConnected({ provider })
        return yield* grants.withToken(account, first, (token) => {
          ready.set(keyOf(account), token)
          return hold.respecting(provider, use(token.accessToken))
        })
      })

      return { prepare, withToken }
    }),
  )
}
