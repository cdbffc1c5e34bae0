import { and, eq, ne, sql } from "drizzle-orm"
import { Clock, Context, Deferred, Effect, Layer, Random, Redacted } from "effect"
import { accounts, outbox, person, subscriptions, tokens } from "../../schema/object.ts"
import { backoff } from "../domain/backoff.ts"
import {
  AccountNotConnected,
  ProviderUnavailable,
  RateLimited,
  ReauthorizationRequired,
  type SealBroken,
} from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import type { TokenEventType, TokenSet } from "../domain/token.ts"
import type { AccessTokenRejected } from "../providers/error.ts"
import { ProviderHttp } from "../providers/http.ts"
import { type RefreshedGrant, refreshGrant } from "../providers/oauth.ts"
import { TokenEvents } from "./events.ts"
import { Settings } from "./settings.ts"
import { Store } from "./store.ts"
import { type Grant, open, seal } from "./vault.ts"

/** An access token that expires within this time is refreshed first; it covers clock skew too. */
export const refreshAheadMs = 5 * 60_000

/** A grant that nothing has used for so long is exercised, so that it does not lapse (Google: 6 months). */
export const exerciseAfterMs = 30 * 24 * 3_600_000

/** Why there is no access token to be had. */
export type GrantError = AccountNotConnected | ReauthorizationRequired | ProviderUnavailable | RateLimited | SealBroken

/** A token to make requests with; `generation` tells which version of the grant it is of. */
export interface UsableToken {
  readonly token: Redacted.Redacted<string>
  readonly generation: number
  readonly expiresAt: number
}

type TokenRow = typeof tokens.$inferSelect

/** A person's grants: who else would refresh, waits for the one refresh under way. */
export class Grants extends Context.Service<
  Grants,
  {
    readonly set: (provider: Provider, given: TokenSet, why: "token_set" | "imported") => Effect.Effect<number>
    readonly remove: (provider: Provider) => Effect.Effect<boolean>
    /** The access token, refreshed first if it expires within {@link refreshAheadMs}. */
    readonly accessToken: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Refreshes now. Callers at the same time share one request. */
    readonly refresh: (provider: Provider) => Effect.Effect<UsableToken, GrantError>
    /** Runs requests with an access token; one that the provider rejects is refreshed and used once more. */
    readonly withToken: <A, E>(
      provider: Provider,
      use: (token: Redacted.Redacted<string>) => Effect.Effect<A, E | AccessTokenRejected | RateLimited>,
    ) => Effect.Effect<A, Exclude<E, AccessTokenRejected> | GrantError>
    /** Ends the use of a grant until `setToken`. */
    readonly requireReauthorization: (provider: Provider, reason: string) => Effect.Effect<ReauthorizationRequired>
    readonly reveal: (provider: Provider) => Effect.Effect<TokenSet, SealBroken | AccountNotConnected>
  }
>()("pollen/object/Grants") {
  static readonly layer = Layer.effect(
    Grants,
    Effect.gen(function* () {
      const store = yield* Store
      const { db, userId } = store
      const events = yield* TokenEvents
      const settings = yield* Settings
      const http = yield* ProviderHttp
      const refreshes = new Map<Provider, Deferred.Deferred<UsableToken, GrantError>>()

      const readAccount = (provider: Provider) =>
        db.select().from(accounts).where(eq(accounts.provider, provider)).get()
      const readToken = (provider: Provider) => db.select().from(tokens).where(eq(tokens.provider, provider)).get()

      /** To be called inside a transaction: D1 learns of every change of an account's state. */
      const changed = (provider: Provider, type: TokenEventType, at: number, detail?: string): void => {
        events.record(provider, type, at, detail)
        if (type === "refreshed" || type === "rotated" || type === "resealed" || type === "exported") return
        db.insert(outbox)
          .values({ kind: "account", body: JSON.stringify({ provider, at }) })
          .run()
        db.update(person).set({ isReportDue: true }).run()
      }

      /** The connected account's row, or why its token cannot be used now. */
      const usable = Effect.fnUntraced(function* (provider: Provider) {
        const account = readAccount(provider)
        const row = readToken(provider)
        if (account === undefined || account.state === "disconnected")
          return yield* new AccountNotConnected({ provider })
        if (account.state === "reauthorization_required" || row === undefined) {
          return yield* new ReauthorizationRequired({ provider, reason: account.reason ?? "no token" })
        }
        return row
      })

      const openRow = (provider: Provider, row: TokenRow) => open(settings.keyRing, userId, provider, row)

      const sealFor = (provider: Provider, grant: Grant) => seal(settings.keyRing, userId, provider, grant)

      /** Replaces a sealed grant, unless it has changed since `row` was read. Sealing anew what it says is no change. */
      const replace = Effect.fnUntraced(function* (
        provider: Provider,
        row: TokenRow,
        grant: Grant,
        change: Partial<Omit<TokenRow, "provider">>,
        record: () => void,
      ) {
        const sealed = yield* sealFor(provider, grant)
        yield* store.transaction(() => {
          if (readToken(provider)?.generation !== row.generation) return
          db.update(tokens)
            .set({ ...sealed, ...change })
            .where(eq(tokens.provider, provider))
            .run()
          record()
        })
        // Durable before anything uses it: a rotated refresh token that is lost here would end the grant.
        yield* store.durable
      })

      const set = Effect.fn("Grants.set")(function* (
        provider: Provider,
        given: TokenSet,
        why: "token_set" | "imported",
      ) {
        const now = yield* Clock.currentTimeMillis
        const sealed = yield* sealFor(provider, {
          accessToken: given.accessToken,
          refreshToken: given.refreshToken,
          previousRefreshToken: null,
          scope: given.scope,
        })
        const generation = yield* store.transaction(() => {
          const before = readAccount(provider)
          const next = (readToken(provider)?.generation ?? 0) + 1
          const row = {
            ...sealed,
            expiresAt: given.expiresAt,
            generation: next,
            exercisedAt: now,
            failures: 0,
            retryAt: null,
          }
          db.insert(tokens)
            .values({ provider, ...row })
            .onConflictDoUpdate({ target: tokens.provider, set: row })
            .run()
          const connected = { state: "connected", reason: null, failures: 0, retryAt: null }
          db.insert(accounts)
            .values({ provider, ...connected, connectedAt: now })
            .onConflictDoUpdate({
              target: accounts.provider,
              // Whoever connects again is polled again at once, but what the provider asked for still holds.
              set: before?.state === "connected" ? connected : { ...connected, connectedAt: now, libraryReadAt: null },
            })
            .run()
          changed(provider, before?.state === "connected" ? why : "connected", now)
          return next
        })
        yield* store.durable
        return generation
      })

      const remove = Effect.fn("Grants.remove")(function* (provider: Provider) {
        const now = yield* Clock.currentTimeMillis
        return yield* store.transaction(() => {
          const before = readAccount(provider)
          if (before === undefined || before.state === "disconnected") return false
          db.delete(tokens).where(eq(tokens.provider, provider)).run()
          db.delete(subscriptions).where(eq(subscriptions.provider, provider)).run()
          db.run(sql`DELETE FROM items WHERE provider = ${provider}`)
          db.run(sql`DELETE FROM library_pages WHERE provider = ${provider}`)
          db.insert(outbox)
            .values({ kind: "unfollow_all", body: JSON.stringify({ provider }) })
            .run()
          db.update(accounts)
            .set({
              state: "disconnected",
              reason: null,
              failures: 0,
              retryAt: null,
              libraryReadAt: null,
              passStartedAt: null,
            })
            .where(eq(accounts.provider, provider))
            .run()
          changed(provider, "disconnected", now)
          return true
        })
      })

      const requireReauthorization = Effect.fnUntraced(function* (provider: Provider, reason: string) {
        const now = yield* Clock.currentTimeMillis
        yield* store.transaction(() => {
          const updated = db
            .update(accounts)
            .set({ state: "reauthorization_required", reason, retryAt: null })
            .where(and(eq(accounts.provider, provider), ne(accounts.state, "reauthorization_required")))
            .returning({ provider: accounts.provider })
            .all()
          if (updated.length > 0) changed(provider, "reauthorization_required", now, reason)
        })
        return new ReauthorizationRequired({ provider, reason })
      })

      const hold = Effect.fnUntraced(function* (limited: RateLimited) {
        yield* store.transaction(() => {
          const heldUntil = Math.max(readAccount(limited.provider)?.heldUntil ?? 0, limited.retryAt)
          db.update(accounts)
            .set({ heldUntil, holdReason: limited.reason })
            .where(eq(accounts.provider, limited.provider))
            .run()
        })
        yield* store.durable
      })

      const held = Effect.fnUntraced(function* (provider: Provider) {
        const account = readAccount(provider)
        if (account?.heldUntil != null && account.heldUntil > (yield* Clock.currentTimeMillis)) {
          const reason = account.holdReason === "quota_exceeded" ? "quota_exceeded" : "rate_limited"
          return yield* new RateLimited({ provider, reason, retryAt: account.heldUntil })
        }
      })

      const failed = Effect.fnUntraced(function* (row: TokenRow, error: ProviderUnavailable) {
        const provider = error.provider
        const now = yield* Clock.currentTimeMillis
        const failures = row.failures + 1
        const { minimumMs, maximumMs } = settings.bounds
        const retryAt =
          now +
          backoff(failures, yield* Random.next, {
            firstMs: Math.min(30_000, minimumMs),
            longestMs: Math.min(3_600_000, maximumMs),
          })
        yield* store.transaction(() => {
          if (readToken(provider)?.generation !== row.generation) return
          db.update(tokens).set({ failures, retryAt }).where(eq(tokens.provider, provider)).run()
          if (failures === 1) changed(provider, "refresh_failed", now, error.reason)
        })
        return new ProviderUnavailable({ provider, reason: error.reason, retryAt })
      })

      const accept = Effect.fnUntraced(function* (
        provider: Provider,
        row: TokenRow,
        grant: Grant,
        given: RefreshedGrant,
      ) {
        const now = yield* Clock.currentTimeMillis
        const isRotated =
          given.refreshToken !== null && Redacted.value(given.refreshToken) !== Redacted.value(grant.refreshToken)
        const next: Grant = {
          accessToken: given.accessToken,
          refreshToken: given.refreshToken ?? grant.refreshToken,
          previousRefreshToken: isRotated ? grant.refreshToken : grant.previousRefreshToken,
          scope: given.scope ?? grant.scope,
        }
        const generation = row.generation + 1
        const change = { expiresAt: given.expiresAt, exercisedAt: now, failures: 0, retryAt: null, generation }
        yield* replace(provider, row, next, change, () => {
          changed(provider, isRotated ? "rotated" : "refreshed", now)
          if (row.failures > 0) changed(provider, "recovered", now)
        })
      })

      /** One refresh. Whatever happens meanwhile, a grant set by the person wins over what the refresh brings. */
      const refreshOnce = (provider: Provider, isForced: boolean): Effect.Effect<UsableToken, GrantError> =>
        Effect.gen(function* () {
          const row = yield* usable(provider)
          const now = yield* Clock.currentTimeMillis
          if (!isForced && row.expiresAt - now > refreshAheadMs) return yield* current(provider)
          yield* held(provider)
          if (row.retryAt !== null && row.retryAt > now && !isForced) {
            return yield* new ProviderUnavailable({
              provider,
              reason: "the last refresh failed; waiting before the next",
              retryAt: row.retryAt,
            })
          }
          const grant = yield* openRow(provider, row)
          const request = (refreshToken: Redacted.Redacted<string>) =>
            http.counted(
              provider,
              refreshGrant(provider, settings.endpoints[provider], refreshToken, settings.requestTimeoutMs),
            )
          const isSuperseded = () => readToken(provider)?.generation !== row.generation
          const previous = grant.previousRefreshToken
          yield* request(grant.refreshToken).pipe(
            // The new refresh token never worked; the one before it may still.
            Effect.catchTag("GrantRefused", (refused) =>
              previous === null || isSuperseded() ? Effect.fail(refused) : request(previous),
            ),
            Effect.flatMap((given) => accept(provider, row, grant, given)),
            Effect.catchTags({
              GrantRefused: ({ reason }) =>
                isSuperseded() ? Effect.void : Effect.flatMap(requireReauthorization(provider, reason), Effect.fail),
              ProviderUnavailable: (error) =>
                isSuperseded() ? Effect.void : Effect.flatMap(failed(row, error), Effect.fail),
              RateLimited: (error) => Effect.andThen(hold(error), Effect.fail(error)),
            }),
          )
          return yield* current(provider)
        })

      const singleFlight = (provider: Provider, isForced: boolean): Effect.Effect<UsableToken, GrantError> =>
        Effect.suspend(() => {
          const underway = refreshes.get(provider)
          if (underway !== undefined) return Deferred.await(underway)
          const started = Deferred.makeUnsafe<UsableToken, GrantError>()
          refreshes.set(provider, started)
          // Detached: the first caller going away must not take the refresh from the others.
          return refreshOnce(provider, isForced).pipe(
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

      /** The access token as it is; resealed first if it lies under an old key. */
      const current = Effect.fnUntraced(function* (provider: Provider) {
        const row = yield* usable(provider)
        const grant = yield* openRow(provider, row)
        if (row.keyId !== settings.keyRing.newestId) {
          const now = yield* Clock.currentTimeMillis
          yield* replace(provider, row, grant, {}, () => changed(provider, "resealed", now))
        }
        const generation = readToken(provider)?.generation ?? row.generation
        return { token: grant.accessToken, generation, expiresAt: row.expiresAt } satisfies UsableToken
      })

      const accessToken = Effect.fn("Grants.accessToken")(function* (provider: Provider) {
        const row = yield* usable(provider)
        const now = yield* Clock.currentTimeMillis
        return yield* row.expiresAt - now > refreshAheadMs ? current(provider) : singleFlight(provider, false)
      })

      /** The new refresh token came with an access token that works: the one before it is not needed any more. */
      const forgetPrevious = Effect.fnUntraced(function* (provider: Provider, generation: number) {
        const row = readToken(provider)
        if (row === undefined || row.generation !== generation) return
        const grant = yield* openRow(provider, row)
        if (grant.previousRefreshToken === null) return
        yield* replace(provider, row, { ...grant, previousRefreshToken: null }, {}, () => undefined)
      })
      const confirmed = new Map<Provider, number>()

      const withToken = <A, E>(
        provider: Provider,
        use: (token: Redacted.Redacted<string>) => Effect.Effect<A, E | AccessTokenRejected | RateLimited>,
      ) =>
        Effect.gen(function* () {
          yield* held(provider)
          const attempt = ({ token, generation }: UsableToken) =>
            use(token).pipe(
              Effect.tap(() => {
                if (confirmed.get(provider) === generation) return Effect.void
                confirmed.set(provider, generation)
                return Effect.ignore(forgetPrevious(provider, generation))
              }),
            )
          const first = yield* accessToken(provider)
          const isRejected = (error: unknown): error is AccessTokenRejected =>
            typeof error === "object" && error !== null && "_tag" in error && error._tag === "AccessTokenRejected"
          return yield* attempt(first).pipe(
            Effect.catchIf(isRejected, () =>
              // Somebody else may have refreshed since; then theirs is used.
              Effect.flatMap(
                Effect.suspend(() =>
                  readToken(provider)?.generation === first.generation || refreshes.has(provider)
                    ? singleFlight(provider, true)
                    : current(provider),
                ),
                attempt,
              ),
            ),
            Effect.catchIf(isRejected, () =>
              Effect.fail(
                new ProviderUnavailable({
                  provider,
                  reason: "refused an access token that it just issued",
                  retryAt: null,
                }),
              ),
            ),
            Effect.tapError((error) => (error instanceof RateLimited ? hold(error) : Effect.void)),
          )
        }) as Effect.Effect<A, Exclude<E, AccessTokenRejected> | GrantError>

      const reveal = Effect.fn("Grants.reveal")(function* (provider: Provider) {
        const row = readToken(provider)
        if (row === undefined) return yield* new AccountNotConnected({ provider })
        const { accessToken, refreshToken, scope } = yield* openRow(provider, row)
        return { accessToken, refreshToken, scope, expiresAt: row.expiresAt }
      })

      return {
        set,
        remove,
        accessToken,
        refresh: (provider: Provider) => singleFlight(provider, true),
        withToken,
        requireReauthorization,
        reveal,
      }
    }),
  )
}
