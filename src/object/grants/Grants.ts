import { Clock, Context, Effect, Layer, type Redacted } from "effect"
import { AccountNotConnected, RateLimited, type ReauthorizationRequired, type SealBroken } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import { isOutage, isUsable, needsRefresh, type TokenSet } from "../../domain/token.ts"
import { askWithToken, isRejected } from "../../providers/askWithToken.ts"
import { AccessTokenRejected } from "../../providers/error.ts"
import { ClientInUse } from "../../providers/Permits.ts"
import { GrantStore } from "./GrantStore.ts"
import { issuedOf, type TokenRow } from "./grantRows.ts"
import { type GrantError, Refresher, type UsableToken } from "./Refresher.ts"

/** A person's grants, as the rest of the object uses them. */
export class Grants extends Context.Service<
  Grants,
  {
    readonly set: GrantStore["Service"]["set"]
    readonly remove: GrantStore["Service"]["remove"]
    /** The access token, refreshed first if it expires soon; as it is while it works, where the provider does not give a new one. */
    readonly accessToken: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Refreshes now. Callers at the same time share one request. */
    readonly refresh: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Tries a refused grant once more. */
    readonly retryRefused: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Runs requests with an access token; one that the provider rejects is refreshed and used once more. */
    readonly withToken: <A, E>(
      provider: Provider,
      use: (token: Redacted.Redacted<string>) => Effect.Effect<A, E | AccessTokenRejected | RateLimited>,
    ) => Effect.Effect<A, E | GrantError>
    /** Ends the use of a grant until `setToken`. */
    readonly requireReauthorization: (provider: Provider, reason: string) => Effect.Effect<ReauthorizationRequired>
    readonly reveal: (provider: Provider) => Effect.Effect<TokenSet, SealBroken | AccountNotConnected>
  }
>()("pollen/object/Grants") {
  static readonly layer = Layer.effect(
    Grants,
    Effect.gen(function* () {
      const store = yield* GrantStore
      const { readToken } = store
      const refresher = yield* Refresher

      /** The token that there is, while it works, where an outage keeps a new one back. */
      const orUsable = Effect.fnUntraced(function* (provider: Provider, outage: GrantError) {
        const row = yield* store.usable(provider)
        const now = yield* Clock.currentTimeMillis
        return yield* isUsable(row, now) ? refresher.opened(provider, row) : Effect.fail(outage)
      })

      /** The token of a row, or of the one that a refresh makes of it. */
      const fresh = Effect.fnUntraced(function* (provider: Provider, row: TokenRow) {
        const now = yield* Clock.currentTimeMillis
        if (!needsRefresh(issuedOf(row), now)) return yield* refresher.opened(provider, row)
        return yield* refresher
          .refreshAhead(provider)
          .pipe(Effect.catchIf(isOutage, (outage) => orUsable(provider, outage)))
      })
      const accessToken = (provider: Provider) => Effect.flatMap(store.usable(provider), (row) => fresh(provider, row))

      /**
       * The new refresh token came with an access token that works: the one before it is not needed any more. Where a refresh has
       * failed since, it may have come with none.
       */
      const forgetPrevious = Effect.fnUntraced(function* (provider: Provider, generation: number) {
        const row = readToken(provider)
        if (row === undefined || row.generation !== generation || row.failures > 0) return
        const grant = yield* store.open(provider, row)
        if (grant.previousRefreshToken === null) return
        yield* store.replace(provider, row, { ...grant, previousRefreshToken: null }, {}, () => undefined)
      })
      const confirmed = new Map<Provider, number>()
      /** Tokens that were refused when they had just been issued, by generation: another refresh would help as little. */
      const refusedFresh = new Map<Provider, number>()

      /** A token in place of a rejected one. Where somebody else has refreshed since, theirs is used. */
      const replace = (provider: Provider, rejected: UsableToken) =>
        Effect.suspend((): Effect.Effect<UsableToken, GrantError | AccessTokenRejected> => {
          if (refusedFresh.get(provider) === rejected.generation)
            return Effect.fail(new AccessTokenRejected({ provider }))
          const isNewest = readToken(provider)?.generation === rejected.generation
          return isNewest || refresher.isUnderway(provider)
            ? refresher.refreshNow(provider)
            : refresher.current(provider)
        })

      const withToken = Effect.fnUntraced(function* <A, E>(
        provider: Provider,
        use: (token: Redacted.Redacted<string>) => Effect.Effect<A, E | AccessTokenRejected | RateLimited>,
      ) {
        const row = yield* store.ready(provider)
        const first = yield* fresh(provider, row)
        const isRateLimited = (error: E | AccessTokenRejected | RateLimited): error is RateLimited =>
          error instanceof RateLimited
        const ask = ({ token, generation, hasPrevious }: UsableToken) =>
          use(token).pipe(
            Effect.tapError((error) =>
              Effect.sync(() => {
                if (isRejected(error) && generation !== first.generation) refusedFresh.set(provider, generation)
              }),
            ),
            Effect.catchIf(isRateLimited, (error) => Effect.flatMap(store.limitApi(error), Effect.fail)),
            Effect.tap(() => {
              if (!hasPrevious || confirmed.get(provider) === generation) return Effect.void
              confirmed.set(provider, generation)
              return Effect.ignore(forgetPrevious(provider, generation))
            }),
          )
        const asked = askWithToken({ provider, token: first, ask, replace: (rejected) => replace(provider, rejected) })
        return yield* row.client === null ? asked : Effect.provideService(asked, ClientInUse, row.client)
      })

      const reveal = Effect.fn("Grants.reveal")(function* (provider: Provider) {
        const row = readToken(provider)
        if (row === undefined) return yield* new AccountNotConnected({ provider })
        const { accessToken, refreshToken, scope } = yield* store.openAndReseal(provider, row)
        const { expiresAt, authorizedAt, client } = row
        return { accessToken, refreshToken, scope, expiresAt, authorizedAt, client }
      })

      return {
        set: store.set,
        remove: store.remove,
        requireReauthorization: store.requireReauthorization,
        accessToken,
        refresh: refresher.refreshNow,
        retryRefused: refresher.retryRefused,
        withToken,
        reveal,
      }
    }),
  )
}
