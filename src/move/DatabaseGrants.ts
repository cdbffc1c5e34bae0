import { Clock, Context, Effect, Layer, Option, Random, Result } from "effect"
import { backoff } from "../domain/backoff.ts"
import { type DatabaseUnavailable, ReauthorizationRequired } from "../domain/error.ts"
import { isOutage, isUsable, needsRefresh, type TokenSet } from "../domain/token.ts"
import { askWithToken } from "../providers/askWithToken.ts"
import type { RequestError, SourceMissing } from "../providers/error.ts"
import { type AccountKey, type AccountRow, type HeldRow, keyOf, type UsableToken } from "./account.ts"
import { readAccounts, readHeld, readTokens } from "./accounts.ts"
import { copyTokens, hasCopy, type InvokeImport } from "./copies.ts"
import type { ExchangeOptions } from "./exchange.ts"
import { type GrantError, type GrantResult, renew, usableOf, whyNotHeld } from "./renew.ts"
import { type Epochs, refuseGrant, removeGrant, setGrant, takeGrant } from "./write.ts"

export interface DatabaseGrantsOptions extends Omit<ExchangeOptions, "copy"> {
  /** Where new tokens of people whose object keeps a copy are written too. */
  readonly importTokens: InvokeImport
}

/** A refresh that an outage kept from succeeding, and when the next is due: epoch milliseconds. */
interface FailedRefresh {
  readonly generation: number
  readonly failures: number
  readonly retryAt: number
  readonly error: GrantError
}

/**
 * D1's side of people's grants: reads them, refreshes those that it holds, and writes new ones. The rules are those of docs/move.md:
 * a refresher claims the account first, and writes nothing to an account that an object holds.
 */
export class DatabaseGrants extends Context.Service<
  DatabaseGrants,
  {
    /** Finds an account without its tokens. `None` when D1 has no row of it. */
    readonly find: (account: AccountKey) => Effect.Effect<Option.Option<AccountRow>, DatabaseUnavailable>
    /** The tokens in D1 as they are, whoever holds the account: the mirror at `live`. Never for somebody at `complete`. */
    readonly stored: (account: AccountKey) => Effect.Effect<Option.Option<TokenSet>, DatabaseUnavailable>
    /** An access token of an account that D1 holds, refreshed first if it expires soon; as it is while it works, where there is no new one. */
    readonly accessToken: (account: AccountKey) => Effect.Effect<UsableToken, GrantError>
    /** `accessToken` of many, in the order given. The statements do not grow with the accounts, but with the refreshes, by tens. */
    readonly accessTokens: (
      accounts: ReadonlyArray<AccountKey>,
    ) => Effect.Effect<ReadonlyArray<GrantResult>, DatabaseUnavailable>
    /** A new access token in place of one that the provider rejected, unless there is one already. */
    readonly refresh: (account: AccountKey, rejectedGeneration: number) => Effect.Effect<UsableToken, GrantError>
    /**
     * Runs a request with an access token; one that the provider rejects is refreshed and used once more. A token that lacks a scope
     * ends the use of its grant.
     */
    readonly withToken: <A>(
      account: AccountKey,
      token: UsableToken,
      use: (token: UsableToken) => Effect.Effect<A, RequestError>,
    ) => Effect.Effect<A, GrantError | SourceMissing>
    /** Ends the use of a grant of which the provider refused this generation, until another is set. */
    readonly requireReauthorization: (
      account: AccountKey,
      generation: number,
    ) => Effect.Effect<void, DatabaseUnavailable>
    /** Writes a grant to an account that D1 holds as of this epoch; `None` when it does not, and nothing was written. */
    readonly set: (
      account: AccountKey,
      tokens: TokenSet,
      epoch: number,
    ) => Effect.Effect<Option.Option<AccountRow>, DatabaseUnavailable>
    /**
     * Writes a grant and takes the right to refresh it, as of epoch `to`, from an object that has given it up: only where the row
     * says `object` at epoch `from`. `None` when it does not.
     */
    readonly take: (
      account: AccountKey,
      tokens: TokenSet,
      epochs: Epochs,
    ) => Effect.Effect<Option.Option<AccountRow>, DatabaseUnavailable>
    /** Takes a grant away from an account that D1 holds as of this epoch, with what the person follows there. */
    readonly remove: (account: AccountKey, epoch: number) => Effect.Effect<boolean, DatabaseUnavailable>
  }
>()("pollen/move/DatabaseGrants") {
  static readonly layer = ({
    database,
    importTokens,
    ...options
  }: DatabaseGrantsOptions): Layer.Layer<DatabaseGrants> =>
    Layer.sync(DatabaseGrants, () => {
      const copy = copyTokens(database, importTokens)
      const exchanging: ExchangeOptions = { ...options, database, copy }

      /** Refreshes in place of rejected tokens that failed, by {@link keyOf}: many requests that are rejected ask a dead endpoint once. */
      const failed = new Map<string, FailedRefresh>()

      const find = (account: AccountKey) =>
        Effect.map(readAccounts(database, [account]), (rows) => Option.fromNullishOr(rows.get(keyOf(account))))

      const expiryOf = ({ accessToken, expiresAt }: HeldRow) => ({
        expiresAt: accessToken === null ? 0 : (expiresAt ?? 0),
      })
      const isToTryAgain = ({ state, refreshToken, refreshRetryAt }: HeldRow, now: number) =>
        state === "reauthorization_required" &&
        refreshToken !== null &&
        refreshRetryAt !== null &&
        refreshRetryAt <= now
      const isStale = (row: HeldRow, now: number) => {
        if (!row.isActive) return false
        return row.state === "connected"
          ? needsRefresh({ ...expiryOf(row), issuedAt: row.updatedAt ?? 0 }, now)
          : isToTryAgain(row, now)
      }

      /** What the row says where an outage keeps a new token back: the token that there is, while it works, or that the grant was refused. */
      const orUsable = (row: HeldRow, renewed: GrantResult, now: number): GrantResult =>
        Result.isFailure(renewed) &&
        isOutage(renewed.failure) &&
        (row.state !== "connected" || isUsable(expiryOf(row), now))
          ? usableOf(row)
          : renewed

      const accessTokens = Effect.fn("DatabaseGrants.accessTokens")(function* (accounts: ReadonlyArray<AccountKey>) {
        const held = yield* readHeld(database, accounts)
        const missing = accounts.filter((account) => !held.has(keyOf(account)))
        const rows = missing.length === 0 ? new Map() : yield* readAccounts(database, missing)
        const now = yield* Clock.currentTimeMillis
        const stale = [...held.values()].filter((row) => isStale(row, now))
        const renewed = yield* renew(
          stale.map((row) => ({
            userId: row.userId,
            provider: row.provider,
            generation: row.generation,
            isUsable: isUsable(expiryOf(row), now),
          })),
          exchanging,
        )
        const later = yield* Clock.currentTimeMillis
        return accounts.map((account): GrantResult => {
          const key = keyOf(account)
          const row = held.get(key)
          if (row === undefined) return Result.fail(whyNotHeld(account, rows.get(key)))
          const result = renewed.get(key)
          return result === undefined ? usableOf(row) : orUsable(row, result, later)
        })
      })

      const accessToken = Effect.fn("DatabaseGrants.accessToken")(function* (account: AccountKey) {
        // Asked first without a token: who has moved may have no such columns any more.
        const row = Option.getOrUndefined(yield* find(account))
        if (row === undefined || row.holder === "object") return yield* Effect.fail(whyNotHeld(account, row))
        const [result] = yield* accessTokens([account])
        return yield* Effect.fromResult(result ?? Result.fail(whyNotHeld(account, undefined)))
      })

      const refresh = Effect.fn("DatabaseGrants.refresh")(function* (account: AccountKey, generation: number) {
        const { userId, provider } = account
        const key = keyOf(account)
        const now = yield* Clock.currentTimeMillis
        const last = failed.get(key)
        const isAgain = last?.generation === generation
        if (isAgain && last.retryAt > now) return yield* Effect.fail(last.error)
        const stale = { userId, provider, generation, isUsable: false }
        const result = (yield* renew([stale], exchanging)).get(key) ?? Result.fail(whyNotHeld(account, undefined))
        if (Result.isFailure(result) && isOutage(result.failure)) {
          const failures = isAgain ? last.failures + 1 : 1
          const retryAt = now + backoff(failures, yield* Random.next, { firstMs: 30_000, longestMs: 3_600_000 })
          failed.set(key, { generation, failures, retryAt, error: result.failure })
        } else failed.delete(key)
        return yield* Effect.fromResult(result)
      })

      const withToken = <A>(
        account: AccountKey,
        token: UsableToken,
        use: (token: UsableToken) => Effect.Effect<A, RequestError>,
      ) => {
        const { provider } = account
        const ask = (usable: UsableToken) =>
          use(usable).pipe(
            Effect.catchTag("ScopeMissing", ({ reason }) =>
              Effect.andThen(
                refuseGrant(database, account, usable.generation),
                Effect.fail(new ReauthorizationRequired({ provider, reason })),
              ),
            ),
          )
        return askWithToken({ provider, token, ask, replace: ({ generation }) => refresh(account, generation) })
      }

      const set = Effect.fn("DatabaseGrants.set")(function* (account: AccountKey, tokens: TokenSet, epoch: number) {
        const written = yield* setGrant(database, account, tokens, epoch)
        if (Option.isSome(written) && hasCopy(written.value.stage)) yield* copy([{ ...written.value, tokens }])
        return written
      })

      const take = Effect.fn("DatabaseGrants.take")(function* (account: AccountKey, tokens: TokenSet, epochs: Epochs) {
        const written = yield* takeGrant(database, account, tokens, epochs)
        if (Option.isSome(written)) yield* copy([{ ...written.value, tokens }])
        return written
      })

      return {
        find,
        stored: (account) => readTokens(database, account),
        accessToken,
        accessTokens,
        refresh,
        withToken,
        requireReauthorization: (account, generation) => refuseGrant(database, account, generation),
        set,
        take,
        remove: (account, epoch) => removeGrant(database, account, epoch),
      }
    })
}
