import { Clock, Duration, Effect, Option, Redacted, Schema } from "effect"
import * as oauth from "oauth4webapi"
import { ProviderUnavailable, RateLimited } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { countingSubrequest } from "../domain/subrequests.ts"
import { BodyTooLong, isRedirect, readText } from "./body.ts"
import { registrationOf, settingsOf } from "./endpoints.ts"
import { GrantRefused, OnlyRefreshToken } from "./error.ts"
import type { ProviderEndpoints } from "./provider.ts"
import { retryAfter } from "./retryAfter.ts"
import { readTokenAnswer, type TokenAnswer, toJudge } from "./tokenAnswer.ts"

/** The result of a refresh. `refreshToken` and `scope` are `null` when the provider sent none: the old ones stay. */
export interface RefreshedGrant {
  readonly accessToken: Redacted.Redacted<string>
  readonly refreshToken: Redacted.Redacted<string> | null
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string> | null
}

/** Spotify's confidential clients use HTTP Basic; Google documents the secret in the body. */
const authentication: Readonly<Record<Provider, (secret: string) => oauth.ClientAuth>> = {
  spotify: oauth.ClientSecretBasic,
  youtube: oauth.ClientSecretPost,
}

const noUsableAnswer = "the token endpoint gave no usable answer"

/** An answer that is no reason to believe anything of the grant. The message is for people, and repeats nothing of the answer. */
class Unusable extends Error {
  override readonly name = "Unusable"
}

/** A 200 that the library refuses, with what is usable of it. */
class Refused extends Error {
  override readonly name = "Refused"
  readonly answer: TokenAnswer

  constructor(answer: TokenAnswer) {
    super(noUsableAnswer)
    this.answer = answer
  }
}

/** RFC 6749, 5.2. Only `invalid_grant` in a 4xx speaks of the grant; everything else is an outage, or our own mistake. */
const toError = (
  provider: Provider,
  thrown: unknown,
): GrantRefused | OnlyRefreshToken | ProviderUnavailable | RateLimited => {
  const unavailable = (reason: string) => new ProviderUnavailable({ provider, reason, retryAt: null })
  if (thrown instanceof RateLimited) return thrown
  if (thrown instanceof Unusable) return unavailable(thrown.message)
  if (thrown instanceof BodyTooLong) return unavailable(`the token endpoint: ${thrown.message}`)
  if (thrown instanceof Refused) {
    const { refreshToken } = thrown.answer
    return refreshToken === null
      ? unavailable(thrown.message)
      : new OnlyRefreshToken({ provider, refreshToken, reason: "the token endpoint gave no usable access token" })
  }
  if (!(thrown instanceof oauth.ResponseBodyError)) return unavailable(noUsableAnswer)
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

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Parses JSON; `undefined` where it is none. The parser's own error repeats the text, which may be a token. */
const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))
const parse = (text: string): unknown => Option.getOrUndefined(decodeJson(text))

/** Reads the answer to a refresh, bounded in size. Throws what {@link toError} knows. */
const readAnswer = async (
  provider: Provider,
  server: oauth.AuthorizationServer,
  client: oauth.Client,
  response: Response,
  now: number,
): Promise<TokenAnswer> => {
  const { status, headers } = response
  if (isRedirect(response) || status === 429 || status >= 500) {
    await response.body?.cancel()
    if (status === 429) {
      throw new RateLimited({ provider, reason: "rate_limited", retryAt: retryAfter(headers.get("retry-after"), now) })
    }
    const redirected = isRedirect(response) ? ", which is not followed" : ""
    throw new Unusable(`the token endpoint answered ${status}${redirected}`)
  }
  const text = await readText(response)
  const judge = (body: string, init: ResponseInit) =>
    oauth.processRefreshTokenResponse(server, client, new Response(body, init))
  if (!response.ok) {
    await judge(text, { status, headers })
    throw new Unusable(noUsableAnswer)
  }
  const fields = parse(text)
  if (!isObject(fields)) throw new Unusable(noUsableAnswer)
  const answer = readTokenAnswer(fields)
  await judge(JSON.stringify(toJudge(fields, answer)), { headers: { "content-type": "application/json" } }).catch(
    () => {
      throw new Refused(answer)
    },
  )
  return answer
}

/** A refresh token, and the operator's name of the client that it was issued to; `null` stands for the default one. */
interface Refreshable {
  readonly refreshToken: Redacted.Redacted<string>
  readonly client: string | null
}

/** Why nothing is asked for a grant whose client the settings do not have: it goes on as soon as they do. */
export const clientMissing = (provider: Provider, name: string | null): string =>
  `client_not_configured: set ${settingsOf(provider, name)}`

/**
 * Exchanges a refresh token (RFC 6749, 6), once, with the client that it was issued to. Bounded in time: a token endpoint that hangs
 * must not block the callers that wait for the same refresh. Fails with `OnlyRefreshToken` where the answer has a new refresh token and
 * no access token that could be used.
 */
export const refreshGrant = Effect.fn("refreshGrant")(function* (
  provider: Provider,
  endpoints: ProviderEndpoints,
  { refreshToken, client: name }: Refreshable,
  timeoutMs: number,
) {
  const now = yield* Clock.currentTimeMillis
  const registration = Option.getOrNull(registrationOf(endpoints, name))
  if (registration === null)
    return yield* new ProviderUnavailable({ provider, reason: clientMissing(provider, name), retryAt: null })
  const server: oauth.AuthorizationServer = {
    issuer: new URL(endpoints.tokenUrl).origin,
    token_endpoint: endpoints.tokenUrl,
  }
  const client: oauth.Client = { client_id: registration.clientId }
  const { accessToken, ...answer } = yield* countingSubrequest(
    Effect.tryPromise({
      try: async (signal) => {
        // The library asks for redirects not to be followed.
        const response = await oauth.refreshTokenGrantRequest(
          server,
          client,
          authentication[provider](Redacted.value(registration.clientSecret)),
          Redacted.value(refreshToken),
          // Plain HTTP is for the simulator on this machine; the addresses come from the operator's settings.
          { signal, [oauth.allowInsecureRequests]: endpoints.tokenUrl.startsWith("http:") },
        )
        return readAnswer(provider, server, client, response, now)
      },
      catch: (thrown) => toError(provider, thrown),
    }),
  ).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(timeoutMs),
      orElse: () =>
        Effect.fail(
          new ProviderUnavailable({ provider, reason: "the token endpoint did not answer in time", retryAt: null }),
        ),
    }),
    Effect.mapError((error) =>
      error._tag === "OnlyRefreshToken" && Redacted.value(error.refreshToken) === Redacted.value(refreshToken)
        ? new ProviderUnavailable({ provider, reason: error.reason, retryAt: null })
        : error,
    ),
  )
  // The library has refused an answer without one.
  if (accessToken === null) return yield* new ProviderUnavailable({ provider, reason: noUsableAnswer, retryAt: null })
  const expiresAt = now + answer.lifetimeSeconds * 1000
  return { accessToken, refreshToken: answer.refreshToken, expiresAt, scope: answer.scope } satisfies RefreshedGrant
})
