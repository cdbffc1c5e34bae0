import { Clock, Context, Data, Deferred, Effect, Layer, Option, Redacted } from "effect"
import { Budget } from "../../budget/Budget.ts"
import {
  type AccountNotConnected,
  ProviderUnavailable,
  RateLimited,
  type ReauthorizationRequired,
  type SealBroken,
} from "../../domain/error.ts"
import { reconnectBy } from "../../domain/grantLife.ts"
import type { Provider } from "../../domain/provider.ts"
import { isRefusalExplained } from "../../domain/refusal.ts"
import { needsRefresh, refreshableAt } from "../../domain/token.ts"
import { registrationOf } from "../../providers/endpoints.ts"
import type { OnlyRefreshToken } from "../../providers/error.ts"
import { clientMissing, type RefreshedGrant, refreshGrant } from "../../providers/oauth.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import { Settings } from "../Settings.ts"
import { Store } from "../Store.ts"
import { Underway } from "../Underway.ts"
import { counted } from "./counters.ts"
import { GrantStore, nextGeneration } from "./GrantStore.ts"
import { issuedOf, type TokenRow, withoutPast } from "./grantRows.ts"
import type { Grant } from "./vault.ts"

/** The reasons why there is no access token. */
export type GrantError = AccountNotConnected | ReauthorizationRequired | ProviderUnavailable | RateLimited | SealBroken

/** A token to make requests with; `generation` tells which version of the grant it is of. */
export interface UsableToken {
  readonly token: Redacted.Redacted<string>
  readonly generation: number
  readonly expiresAt: number
  /** Whether the refresh token before the one of the grant is kept, until this token has worked. */
  readonly hasPrevious: boolean
}

/** Why a refresh is made: the token expires soon, somebody wants another, or a refused grant is tried again. */
type When = "ahead" | "now" | "refused"

/** A failed refresh of which everything is recorded. */
class NotRefreshed extends Data.TaggedError("NotRefreshed")<{ readonly error: ProviderUnavailable }> {}
/** What changes of the life of a grant when another one comes back. */
type Life = Partial<Pick<TokenRow, "authorizedAt" | "client" | "warnedDays">>

/** Refreshes grants. Concurrent callers share one refresh: with rotation, two refreshers would invalidate each other's token. */
export class Refresher extends Context.Service<
  Refresher,
  {
    /** The access token as it is. */
    readonly current: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** The access token of a row just read; resealed first if it lies under an old key. */
    readonly opened: (provider: Provider, row: TokenRow) => Effect.Effect<UsableToken, GrantError>
    /** Refreshes a token that expires soon, unless the last refresh has just failed. Callers at the same time share one request. */
    readonly refreshAhead: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /**
     * Refreshes now, unless the last refresh has just failed or the token endpoint asked to wait: a pass of many requests that are
     * all rejected must not ask a dead endpoint for each. Callers at the same time share one request.
     */
    readonly refreshNow: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Refreshes a grant that was refused, once more. Fails for any other. */
    readonly retryRefused: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    readonly isUnderway: (provider: Provider) => boolean
    /** Waits for the refresh under way, if there is one, however it ends. */
    readonly awaitUnderway: (provider: Provider) => Effect.Effect<void>
  }
>()("pollen/object/Refresher") {
  static readonly layer = Layer.effect(
    Refresher,
    Effect.gen(function* () {
      const store = yield* Store
      const grants = yield* GrantStore
      const { readToken } = grants
      const settings = yield* Settings
      const http = yield* ProviderHttp
      const budget = yield* Budget
      const { track } = yield* Underway
      const refreshes = new Map<Provider, Deferred.Deferred<UsableToken, GrantError>>()

      const failed = Effect.fnUntraced(function* (row: TokenRow, error: ProviderUnavailable) {
        const { provider } = error
        const retryAt = yield* grants.postpone(row, provider, error.reason)
        return new ProviderUnavailable({ provider, reason: error.reason, retryAt })
      })

      /** A grant is refused for itself, unless many people's are at once: then that is the provider's doing, and nobody's is given up. */
      const refused = Effect.fnUntraced(function* (row: TokenRow, provider: Provider, reason: string) {
        const now = yield* Clock.currentTimeMillis
        const endsAt = reconnectBy(settings.grantLifetimes[provider], row.authorizedAt)
        const isExplained = isRefusalExplained({ endsAt }, now)
        if (!isExplained && (yield* budget.isOutage(provider, row.client))) {
          const outage = new ProviderUnavailable({
            provider,
            reason: `${reason}, as for many people at once`,
            retryAt: null,
          })
          return yield* yield* failed(row, outage)
        }
        return yield* yield* grants.refuse(row, provider, reason)
      })

      const accept = Effect.fnUntraced(function* (
        provider: Provider,
        row: TokenRow,
        grant: Grant,
        given: RefreshedGrant,
        life: Life,
      ) {
        const now = yield* Clock.currentTimeMillis
        const isRotated =
          given.refreshToken !== null && Redacted.value(given.refreshToken) !== Redacted.value(grant.refreshToken)
        const next: Grant = {
          accessToken: given.accessToken,
          refreshToken: given.refreshToken ?? grant.refreshToken,
          previousRefreshToken: isRotated ? grant.refreshToken : grant.previousRefreshToken,
          ...(isRotated || grant.replaced === undefined ? {} : { replaced: grant.replaced }),
          scope: given.scope ?? grant.scope,
        }
        const generation = nextGeneration(row)
        const change = {
          expiresAt: given.expiresAt,
          keptAliveAt: now,
          ...withoutPast,
          isRotated,
          refreshLimitedUntil: null,
          generation,
          ...life,
        }
        yield* grants.replace(provider, row, next, change, () => {
          grants.changed(provider, isRotated ? "rotated" : "refreshed", now)
          if (row.failures > 0) grants.noteReason(provider, null)
          if (row.refusals > 0) grants.reconnect(provider)
          if (row.failures > 0 || row.refusals > 0) grants.changed(provider, "recovered", now)
        })
      })

      /** Stores a refresh token that came without an access token, before anything else is tried with the grant. */
      const keepRotated = Effect.fnUntraced(function* (
        row: TokenRow,
        grant: Grant,
        { provider, refreshToken, reason }: OnlyRefreshToken,
      ) {
        const now = yield* Clock.currentTimeMillis
        const next: Grant = { ...grant, refreshToken, previousRefreshToken: grant.refreshToken }
        const generation = nextGeneration(row)
        yield* grants.replace(provider, row, next, { keptAliveAt: now, generation, refreshBegunAt: null }, () =>
          grants.changed(provider, "rotated", now, reason),
        )
        if (readToken(provider)?.generation !== generation) return
        return yield* failed(
          { ...row, generation, refreshBegunAt: null },
          new ProviderUnavailable({ provider, reason, retryAt: null }),
        ).pipe(Effect.flatMap((error) => new NotRefreshed({ error })))
      })

      const opened = (provider: Provider, row: TokenRow) =>
        Effect.map(grants.openAndReseal(provider, row), ({ accessToken, previousRefreshToken }): UsableToken => {
          const { generation, expiresAt } = row
          return { token: accessToken, generation, expiresAt, hasPrevious: previousRefreshToken !== null }
        })
      const current = (provider: Provider) => Effect.flatMap(grants.usable(provider), (row) => opened(provider, row))

      /** Refreshes once. A grant that the person sets meanwhile wins over the result, whatever it is. */
      const refreshOnce = (provider: Provider, when: When): Effect.Effect<UsableToken, GrantError> =>
        Effect.gen(function* () {
          const row = yield* when === "refused" ? grants.refused(provider) : grants.usable(provider)
          const now = yield* Clock.currentTimeMillis
          if (when === "ahead" && !needsRefresh(issuedOf(row), now)) return yield* current(provider)
          const retryAt = refreshableAt(row)
          if (row.refreshLimitedUntil !== null && row.refreshLimitedUntil > now) {
            return yield* new RateLimited({ provider, reason: "rate_limited", retryAt })
          }
          if (retryAt > now) {
            const reason = "the last refresh failed; waiting before the next"
            return yield* new ProviderUnavailable({ provider, reason, retryAt })
          }
          if (Option.isNone(registrationOf(settings.endpoints[provider], row.client))) {
            const reason = clientMissing(provider, row.client)
            grants.noteReason(provider, reason)
            return yield* yield* failed(row, new ProviderUnavailable({ provider, reason, retryAt: null }))
          }
          const grant = yield* grants.open(provider, row).pipe(
            // A grant that does not open cannot be kept alive: the alarm must not come back for it at once.
            Effect.tapError((error) => (when === "now" ? grants.postpone(row, provider, error.message) : Effect.void)),
            Effect.tapError(() => Effect.sync(() => when === "refused" && grants.abandon(provider))),
          )
          grants.begin(row, provider, now)
          const request = (refreshToken: Redacted.Redacted<string>, client: string | null) =>
            http
              .counted(
                provider,
                refreshGrant(
                  provider,
                  settings.endpoints[provider],
                  { refreshToken, client },
                  settings.requestTimeoutMs,
                ),
              )
              .pipe((refresh) => Effect.provideService(counted("refresh", refresh), Store, store))
          const isSuperseded = () => readToken(provider)?.generation !== row.generation
          const previous = grant.previousRefreshToken
          const exchange = (used: Grant, life: Life = {}) =>
            Effect.flatMap(request(used.refreshToken, life.client === undefined ? row.client : life.client), (given) =>
              accept(provider, row, used, given, life),
            ).pipe(Effect.catchTag("OnlyRefreshToken", (rotated) => keepRotated(row, used, rotated)))
          // A grant that this one replaced untried comes back with its own age.
          const { replaced, ...grantAlone } = grant
          const lifeBefore = replaced === undefined ? {} : { ...replaced, warnedDays: null }
          yield* exchange(grant).pipe(
            // The new refresh token never worked; the one before it may still. If it does, it is the one to keep.
            Effect.catchTag("GrantRefused", (refused) =>
              previous === null || isSuperseded()
                ? Effect.fail(refused)
                : exchange({ ...grantAlone, refreshToken: previous, previousRefreshToken: null }, lifeBefore),
            ),
            Effect.catchTags({
              GrantRefused: ({ reason }) => (isSuperseded() ? Effect.void : refused(row, provider, reason)),
              ProviderUnavailable: (error) =>
                isSuperseded() ? Effect.void : Effect.flatMap(failed(row, error), Effect.fail),
              NotRefreshed: ({ error }) => Effect.fail(error),
              RateLimited: (error) => Effect.flatMap(grants.limitRefresh(row, error), Effect.fail),
            }),
          )
          return yield* current(provider)
        })

      const singleFlight = (provider: Provider, when: When): Effect.Effect<UsableToken, GrantError> =>
        Effect.suspend(() => {
          const underway = refreshes.get(provider)
          if (underway !== undefined) return Deferred.await(underway)
          const started = Deferred.makeUnsafe<UsableToken, GrantError>()
          refreshes.set(provider, started)
          // Detached: the first caller going away must not take the refresh from the others.
          return track(refreshOnce(provider, when)).pipe(
            Effect.onExit((exit) =>
              Effect.sync(() => {
                refreshes.delete(provider)
                Deferred.doneUnsafe(started, exit)
              }),
            ),
            Effect.exit,
            Effect.forkDetach,
            Effect.andThen(Deferred.await(started)),
          )
        })

      const awaitUnderway = (provider: Provider) =>
        Effect.suspend(() => {
          const underway = refreshes.get(provider)
          return underway === undefined ? Effect.void : Effect.asVoid(Effect.exit(Deferred.await(underway)))
        })

      return {
        current,
        opened,
        refreshAhead: (provider: Provider) => singleFlight(provider, "ahead"),
        refreshNow: (provider: Provider) => singleFlight(provider, "now"),
        retryRefused: (provider: Provider) => singleFlight(provider, "refused"),
        isUnderway: (provider: Provider) => refreshes.has(provider),
        awaitUnderway,
      }
    }),
  )
}
