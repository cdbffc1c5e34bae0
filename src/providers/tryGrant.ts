import { Clock, Effect } from "effect"
import { InvalidRequest } from "../domain/error.ts"
import { isUsable, type TokenSet } from "../domain/token.ts"
import type { ProviderClient } from "./provider.ts"

/** Refuses a grant that somebody gives, by the field that is wrong with it. */
export const refuseGiven = (field: keyof TokenSet, message: string) =>
  new InvalidRequest({ method: "setToken", issues: [{ path: `tokens.${field}`, message }] })

/**
 * Tries a grant with one cheap request, and returns whether that told anything: an access token that has expired cannot be tried, and a
 * provider that is down says nothing about a grant. Fails with `InvalidRequest` where the provider refuses it.
 */
export const tryGrant = Effect.fn("tryGrant")(function* (
  { provider, validate }: Pick<ProviderClient, "provider" | "validate">,
  { accessToken, expiresAt }: Pick<TokenSet, "accessToken" | "expiresAt">,
) {
  if (!isUsable({ expiresAt }, yield* Clock.currentTimeMillis)) return false
  return yield* validate(accessToken).pipe(
    Effect.as(true),
    Effect.catchTags({
      AccessTokenRejected: () =>
        Effect.fail(refuseGiven("accessToken", `${provider} does not accept it; the grant that works has been kept`)),
      ScopeMissing: ({ reason }) =>
        Effect.fail(refuseGiven("scope", `${provider} does not let it read what the person follows: ${reason}`)),
      // Asked for the library and told that there is none: the token itself was accepted.
      SourceMissing: () => Effect.succeed(true),
      ProviderUnavailable: () => Effect.succeed(false),
    }),
  )
})
