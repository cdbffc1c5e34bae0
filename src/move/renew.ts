import { Clock, Effect, Result } from "effect"
import {
  AccountNotConnected,
  type DatabaseUnavailable,
  ProviderUnavailable,
  RateLimited,
  ReauthorizationRequired,
} from "../domain/error.ts"
import { type AccountKey, type AccountRow, type HeldRow, keyOf, type UsableToken } from "./account.ts"
import { readAccounts, readHeld } from "./accounts.ts"
import type { Stale } from "./claim.ts"
import { HeldByObject } from "./error.ts"
import { type ExchangeOptions, exchange } from "./exchange.ts"

/** Why D1 has no access token to give. */
export type GrantError =
  | AccountNotConnected
  | ReauthorizationRequired
  | HeldByObject
  | ProviderUnavailable
  | RateLimited
  | DatabaseUnavailable

export type GrantResult = Result.Result<UsableToken, GrantError>

/** How long a caller waits for another's refresh, or for the end of a hand-over, in milliseconds: longer than either takes. */
const patienceMs = 20_000

/** Refreshes at the same time. All of one claim begin at once, so that none outlives its claim. */
const refreshesAtOnce = 10

/** How often a waiting caller reads the row again, in milliseconds. */
const rereadEveryMs = 200

/** The reason why an account is not among those that D1 holds and can read. */
export const whyNotHeld = ({ provider }: AccountKey, row: AccountRow | undefined): GrantError => {
  if (row === undefined || !row.isActive || row.state === "disconnected") return new AccountNotConnected({ provider })
  if (row.holder === "object") return new HeldByObject({ provider, epoch: row.epoch })
  return new ReauthorizationRequired({ provider, reason: "what D1 has of the grant cannot be read" })
}

/** The access token of a row as it is, or the reason why it may not be used. */
export const usableOf = (row: HeldRow): GrantResult => {
  const { provider, accessToken, expiresAt, generation } = row
  if (!row.isActive || row.state === "disconnected") return Result.fail(new AccountNotConnected({ provider }))
  if (row.state === "reauthorization_required" || accessToken === null || expiresAt === null) {
    return Result.fail(new ReauthorizationRequired({ provider, reason: "the provider refused the grant" }))
  }
  return Result.succeed({ accessToken, expiresAt, generation })
}

/** Decides what a row says to a caller that could not claim it: an outcome, or to read it again later. */
const judge = (account: Stale, row: HeldRow, now: number, hasSeenClaim: boolean): GrantResult | "again" => {
  const { provider } = account
  if (row.generation !== account.generation || row.state !== "connected" || !row.isActive) return usableOf(row)
  if (row.refreshToken === null) {
    return Result.fail(new ReauthorizationRequired({ provider, reason: "D1 has no refresh token" }))
  }
  if (row.refreshRetryAt !== null && row.refreshRetryAt > now) {
    return Result.fail(new RateLimited({ provider, reason: "rate_limited", retryAt: row.refreshRetryAt }))
  }
  // The claim ended and brought nothing: if every caller that waited for it tried as well, they would make an outage worse.
  if (hasSeenClaim && row.claimedUntil === null) {
    return Result.fail(new ProviderUnavailable({ provider, reason: "another refresh has just failed", retryAt: null }))
  }
  return "again"
}

const outOfPatience = ({ provider, claimedUntil, fencedUntil }: HeldRow) =>
  new ProviderUnavailable({
    provider,
    reason: "another refresh or a hand-over is under way",
    retryAt: Math.max(claimedUntil ?? 0, fencedUntil ?? 0),
  })

/**
 * Gets new access tokens for accounts whose tokens are stale, by {@link keyOf}. Concurrent callers share one refresh of an account: a
 * caller that finds it claimed waits up to 20 s for the result, and not at all while its token works.
 */
export const renew = Effect.fn("renew")(function* (stale: ReadonlyArray<Stale>, options: ExchangeOptions) {
  const { database } = options
  const startedAt = yield* Clock.currentTimeMillis
  const results = new Map<string, GrantResult>()
  const claimedByOthers = new Set<string>()
  let pending = stale
  while (pending.length > 0) {
    for (let from = 0; from < pending.length; from += refreshesAtOnce) {
      const chunk = pending.slice(from, from + refreshesAtOnce)
      const exchanged = yield* Effect.result(exchange(chunk, options))
      if (Result.isFailure(exchanged)) {
        for (const account of chunk) results.set(keyOf(account), Result.fail(exchanged.failure))
      } else {
        for (const [key, result] of exchanged.success) results.set(key, result)
      }
    }
    pending = pending.filter((account) => !results.has(keyOf(account)))
    if (pending.length === 0) break
    const held = yield* readHeld(database, pending)
    const missing = pending.filter((account) => !held.has(keyOf(account)))
    const rows = missing.length === 0 ? new Map() : yield* readAccounts(database, missing)
    for (const account of missing)
      results.set(keyOf(account), Result.fail(whyNotHeld(account, rows.get(keyOf(account)))))
    const now = yield* Clock.currentTimeMillis
    for (const account of pending) {
      const key = keyOf(account)
      const row = held.get(key)
      if (row === undefined) continue
      const seen = judge(account, row, now, claimedByOthers.has(key))
      if (seen !== "again") results.set(key, seen)
      else if (account.isUsable || now - startedAt >= patienceMs) results.set(key, Result.fail(outOfPatience(row)))
      if ((row.claimedUntil ?? 0) > now) claimedByOthers.add(key)
    }
    pending = pending.filter((account) => !results.has(keyOf(account)))
    if (pending.length > 0) yield* Effect.sleep(rereadEveryMs)
  }
  return results
})
