import { Clock, Effect } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { GivenTokens, TokenSet } from "../../domain/token.ts"
import { readAccountId } from "../../providers/accountId.ts"
import { ClientInUse } from "../../providers/Permits.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import type { AccessToken } from "../../providers/provider.ts"
import { refuseGiven, tryGrant } from "../../providers/tryGrant.ts"
import { Settings } from "../Settings.ts"
import { GrantStore, nextGeneration } from "./GrantStore.ts"
import { Grants } from "./Grants.ts"

// What becomes of a grant that a person's app gives, where the object has one already that works.

/**
 * Tries a grant before it takes the place of one that works, and returns whether the one before it is to be kept until this one has
 * worked: while the provider is down, nothing is known of either.
 */
export const tryInPlace = Effect.fn("tryInPlace")(function* (provider: Provider, tokens: TokenSet) {
  const store = yield* GrantStore
  const client = (yield* ProviderClients)[provider]
  return yield* store.checkApiLimit(provider).pipe(
    Effect.andThen(Effect.provideService(tryGrant(client, tokens), ClientInUse, tokens.client ?? null)),
    Effect.catchTag("RateLimited", (error) => Effect.as(store.limitApi(error), false)),
    Effect.map((isTried) => !isTried),
  )
})

/** Fails unless an access token is of the account of the grant that there is. */
const requireSameAccount = Effect.fnUntraced(function* (provider: Provider, { accessToken }: GivenTokens) {
  const grants = yield* Grants
  const endpoints = (yield* Settings).endpoints[provider]
  const http = yield* ProviderHttp
  const idOf = (token: AccessToken) =>
    Effect.provideService(readAccountId(provider, endpoints, token), ProviderHttp, http)
  const given = yield* Effect.catchTag(idOf(accessToken), "AccessTokenRejected", () =>
    Effect.fail(refuseGiven("accessToken", `${provider} does not accept it; the grant that works has been kept`)),
  )
  const known = yield* grants.withToken(provider, idOf)
  if (given === known) return
  return yield* refuseGiven(
    "refreshToken",
    "is missing, and the tokens are of another account than the grant that is there",
  )
})

const askForOne = "ask for a refresh token with the consent (Google: access_type=offline and prompt=consent)"

/**
 * Puts an access token that came without a refresh token beside the refresh token that there is. Returns the generation. Where a refresh
 * has been quicker, its access token stays: it is of the same grant.
 */
export const keepRefreshToken = Effect.fn("keepRefreshToken")(function* (provider: Provider, given: GivenTokens) {
  const store = yield* GrantStore
  const { accessToken, expiresAt, scope, client = null } = given
  const usable = store
    .usable(provider)
    .pipe(
      Effect.mapError(() =>
        refuseGiven("refreshToken", `is missing, and there is no refresh token to keep; ${askForOne}`),
      ),
    )
  if ((yield* usable).client !== client) {
    return yield* refuseGiven(
      "refreshToken",
      `is missing, and the one that is there is of another client; ${askForOne}`,
    )
  }
  yield* requireSameAccount(provider, given).pipe(
    Effect.catchIf(
      (error) => error._tag !== "InvalidRequest",
      ({ message }) =>
        Effect.fail(
          refuseGiven(
            "refreshToken",
            `is missing, and it cannot be known whether the tokens are of the same account (${message}); try again, or ${askForOne}`,
          ),
        ),
    ),
  )
  const now = yield* Clock.currentTimeMillis
  const row = yield* usable
  const grant = yield* Effect.mapError(store.open(provider, row), ({ message }) =>
    refuseGiven("refreshToken", `is missing, and the one that is there cannot be kept: ${message}`),
  )
  const change = { expiresAt, generation: nextGeneration(row), keptAliveAt: now, failures: 0, retryAt: null }
  yield* store.replace(provider, row, { ...grant, accessToken, scope }, change, () =>
    store.changed(provider, "token_set", now),
  )
  return store.readToken(provider)?.generation ?? change.generation
})
