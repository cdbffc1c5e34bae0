import { Clock, Duration, Effect, Redacted } from "effect"
import * as oauth from "oauth4webapi"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { GrantRefused } from "./error.ts"
import type { ProviderEndpoints } from "./provider.ts"
import { retryAfter } from "./retryAfter.ts"

/** The result of a refresh. `refreshToken` and `scope` are `null` when the provider sent none: the old ones stay. */
export interface RefreshedGrant {
  readonly accessToken: Redacted.Redacted<string>
  readonly refreshToken: Redacted.Redacted<string> | null
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string> | null
}

/** Lifetime of an access token whose answer does not say: an hour at both providers. */
const defaultLifetimeSeconds = 3600

/** Longest lifetime believed: a month. */
const longestLifetimeSeconds = 30 * 86_400

/** Spotify's confidential clients use HTTP Basic; Google documents the secret in the body. */
const authentication: Readonly<Record<Provider, (secret: string) => oauth.ClientAuth>> = {
  spotify: oauth.ClientSecretBasic,
  youtube: oauth.ClientSecretPost,
}

/** RFC 6749, 5.2. Only `invalid_grant` in a 4xx speaks of the grant; everything else is an outage, or our own mistake. */
const toError = (provider: Provider, thrown: unknown, now: number) => {
  const unavailable = (reason: string) => new ProviderUnavailable({ provider, reason, retryAt: null })
  if (!(thrown instanceof oauth.ResponseBodyError)) return unavailable("the token endpoint gave no usable answer")
  if (thrown.status === 429) {
    return new RateLimited({
      provider,
      reason: "rate_limited",
      retryAt: retryAfter(thrown.response.headers.get("retry-after"), now),
    })
  }
  if (thrown.error === "invalid_grant" && thrown.status < 500) {
    return new GrantRefused({ provider, reason: "invalid_grant" })
  }
  if (thrown.error === "invalid_client") {
    const prefix = provider.toUpperCase()
    return unavailable(`invalid_client: check ${prefix}_CLIENT_ID and ${prefix}_CLIENT_SECRET`)
  }
  // Registered codes are words; anything else may repeat what was sent.
  const code = /^[a-z_]{1,40}$/.test(thrown.error) ? thrown.error : "no known error"
  return unavailable(`the token endpoint answered ${thrown.status} (${code})`)
}

/**
 * Exchanges a refresh token (RFC 6749, 6), once. Bounded in time: a token endpoint that hangs must not block the callers that wait for
 * the same refresh.
 */
export const refreshGrant = Effect.fn("refreshGrant")(function* (
  provider: Provider,
  endpoints: ProviderEndpoints,
  refreshToken: Redacted.Redacted<string>,
  timeoutMs: number,
) {
  const now = yield* Clock.currentTimeMillis
  if (endpoints.clientId === "") {
    const reason = `${provider.toUpperCase()}_CLIENT_ID is not set`
    return yield* new ProviderUnavailable({ provider, reason, retryAt: null })
  }
  const server: oauth.AuthorizationServer = {
    issuer: new URL(endpoints.tokenUrl).origin,
    token_endpoint: endpoints.tokenUrl,
  }
  const client: oauth.Client = { client_id: endpoints.clientId }
  const answer = yield* Effect.tryPromise({
    try: async (signal) => {
      const response = await oauth.refreshTokenGrantRequest(
        server,
        client,
        authentication[provider](Redacted.value(endpoints.clientSecret)),
        Redacted.value(refreshToken),
        // Plain HTTP is for the simulator on this machine; the addresses come from the operator's settings.
        { signal, [oauth.allowInsecureRequests]: endpoints.tokenUrl.startsWith("http:") },
      )
      if (response.status === 429) {
        const header = response.headers.get("retry-after")
        await response.body?.cancel()
        return new RateLimited({ provider, reason: "rate_limited", retryAt: retryAfter(header, now) })
      }
      return oauth.processRefreshTokenResponse(server, client, response)
    },
    catch: (thrown) => toError(provider, thrown, now),
  }).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(timeoutMs),
      orElse: () =>
        Effect.fail(
          new ProviderUnavailable({ provider, reason: "the token endpoint did not answer in time", retryAt: null }),
        ),
    }),
  )
  if (answer instanceof RateLimited) return yield* answer
  const grant: RefreshedGrant = {
    accessToken: Redacted.make(answer.access_token),
    refreshToken: answer.refresh_token === undefined ? null : Redacted.make(answer.refresh_token),
    expiresAt: now + Math.min(Math.floor(answer.expires_in ?? defaultLifetimeSeconds), longestLifetimeSeconds) * 1000,
    scope: answer.scope === undefined ? null : answer.scope.split(" "),
  }
  return grant
})
