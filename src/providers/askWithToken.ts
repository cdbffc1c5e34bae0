import { Effect } from "effect"
import { ProviderUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { AccessTokenRejected } from "./error.ts"

export const isRejected = (error: unknown): error is AccessTokenRejected => error instanceof AccessTokenRejected

interface Asking<Token, A, E, R, E2, R2> {
  readonly provider: Provider
  readonly token: Token
  readonly ask: (token: Token) => Effect.Effect<A, E | AccessTokenRejected, R>
  /** Gets a token in place of one that the provider rejected: by a refresh, unless somebody else has refreshed since. */
  readonly replace: (rejected: Token) => Effect.Effect<Token, E2 | AccessTokenRejected, R2>
}

/**
 * Asks a provider's API with an access token. One that the API rejects (401) is replaced and used once more; a provider that rejects
 * that one too is `ProviderUnavailable`, since another refresh would help as little.
 */
export const askWithToken = <Token, A, E, R, E2, R2>({
  provider,
  token,
  ask,
  replace,
}: Asking<Token, A, E, R, E2, R2>): Effect.Effect<A, E | E2 | ProviderUnavailable, R | R2> => {
  const second = Effect.flatMap(replace(token), ask).pipe(
    Effect.catch((error) => Effect.fail(isRejected(error) ? rejectedAgain(provider) : error)),
  )
  return Effect.catch(ask(token), (error) => (isRejected(error) ? second : Effect.fail(error)))
}

const rejectedAgain = (provider: Provider) =>
  new ProviderUnavailable({ provider, reason: "refused an access token that it just issued", retryAt: null })
