import { Clock, Effect, Option, Random, type Redacted, Result, Schedule } from "effect"
import { askDatabase } from "../domain/database.ts"
import { ProviderUnavailable, type RateLimited, ReauthorizationRequired } from "../domain/error.ts"
import { type GrantLifetimes, reconnectBy } from "../domain/grantLife.ts"
import { boundPause, longestPauseMs, spreadPause } from "../domain/pause.ts"
import type { Provider } from "../domain/provider.ts"
import { nextTryOfRefused } from "../domain/refusal.ts"
import type { TokenSet } from "../domain/token.ts"
import { refreshGrant } from "../providers/oauth.ts"
import type { ProviderEndpoints } from "../providers/provider.ts"
import {
  type AccountRow,
  decodeAccount,
  decodeHeld,
  type HeldRow,
  keyOf,
  scopesOf,
  type UsableToken,
} from "./account.ts"
import { rowsOf } from "./accounts.ts"
import { claimAccounts, claimMs, releaseAccounts, renewAccounts, type Stale } from "./claim.ts"
import { type Copy, hasCopy } from "./copies.ts"
import { countOperations, type OperationCount } from "./tokenOperations.ts"

export interface ExchangeOptions {
  readonly database: D1Database
  readonly endpoints: Readonly<Record<Provider, ProviderEndpoints>>
  /** How long a token endpoint may take, in milliseconds: far below the life of a claim. */
  readonly timeoutMs: number
  readonly grantLifetimes: GrantLifetimes
  /** Writes new tokens to the copies that objects keep. */
  readonly copy: (written: ReadonlyArray<Copy>) => Effect.Effect<void>
}

type ExchangeError = ReauthorizationRequired | ProviderUnavailable | RateLimited

/** One refresh and its outcome. */
interface Attempt {
  readonly row: HeldRow
  readonly outcome: Result.Result<TokenSet, ExchangeError>
  /** A new refresh token that came without an access token: it is written down although the refresh failed. */
  readonly rotated: Redacted.Redacted<string> | null
  readonly tookMs: number
}

/** Over how long the ends of pauses that many were told of together are spread, in milliseconds. */
const longestSpreadMs = 60_000

/** About 25 s, half a claim: a rotated refresh token that is not written down is lost, and the grant with it. */
const writeRetries = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 8 }))

/** The grant as it is after a refresh: what the provider did not send stays. */
const renewed = Effect.fnUntraced(function* (row: HeldRow, { endpoints, timeoutMs }: ExchangeOptions) {
  const { provider, refreshToken, scope, authorizedAt, client } = row
  // A row without one is not claimed.
  if (refreshToken === null) return yield* new ReauthorizationRequired({ provider, reason: "no refresh token" })
  const given = yield* refreshGrant(provider, endpoints[provider], { refreshToken, client }, timeoutMs)
  const { accessToken, expiresAt } = given
  const tokens: TokenSet = {
    accessToken,
    refreshToken: given.refreshToken ?? refreshToken,
    expiresAt,
    scope: given.scope ?? scopesOf(scope),
    authorizedAt,
    client,
  }
  return tokens
})

const attempt = Effect.fnUntraced(function* (row: HeldRow, options: ExchangeOptions) {
  const startedAt = yield* Clock.currentTimeMillis
  let rotated: Attempt["rotated"] = null
  const outcome = yield* renewed(row, options).pipe(
    Effect.catchTags({
      GrantRefused: ({ provider, reason }) => Effect.fail(new ReauthorizationRequired({ provider, reason })),
      OnlyRefreshToken: ({ provider, reason, refreshToken }) => {
        rotated = refreshToken
        return Effect.fail(new ProviderUnavailable({ provider, reason, retryAt: null }))
      },
    }),
    Effect.result,
  )
  return { row, outcome, rotated, tookMs: (yield* Clock.currentTimeMillis) - startedAt } satisfies Attempt
})

/** What a row says with another refresh token; `null` where there is no access token, and so nothing that could be copied. */
const withRefreshToken = ({ accessToken, expiresAt, scope }: HeldRow, refreshToken: Redacted.Redacted<string>) =>
  accessToken === null || expiresAt === null ? null : { accessToken, refreshToken, expiresAt, scope: scopesOf(scope) }

const toCount = ({ outcome, tookMs }: Attempt): OperationCount => ({
  operation: "refresh",
  source: "database",
  outcome: Result.isSuccess(outcome) ? "ok" : outcome.failure._tag,
  count: 1,
  totalMs: tookMs,
  slowestMs: tookMs,
})

const accountsIn = (result: D1Result | undefined): ReadonlyMap<string, AccountRow> =>
  new Map((result?.results ?? []).flatMap((row) => Option.toArray(decodeAccount(row))).map((row) => [keyOf(row), row]))

/** Until when a refresh that failed keeps the next one off; `null` for not at all, or for ever where the grant was refused. */
const retryAtOf = Effect.fnUntraced(function* ({ row, outcome }: Attempt, { grantLifetimes }: ExchangeOptions) {
  if (Result.isSuccess(outcome)) return null
  const now = yield* Clock.currentTimeMillis
  const random = yield* Random.next
  if (outcome.failure._tag === "ReauthorizationRequired") {
    const endsAt = reconnectBy(grantLifetimes[row.provider], row.authorizedAt)
    return nextTryOfRefused({ endsAt, refusals: row.refusals + 1 }, now, random)
  }
  if (outcome.failure._tag === "ProviderUnavailable") return null
  const { reason } = outcome.failure
  const { until } = boundPause(outcome.failure, now, longestPauseMs)
  return spreadPause({ reason, retryAt: until }, { now, random, longestMs: longestSpreadMs })
})

/** Records the outcomes of a claim in one batch. Returns the rows that took new tokens, and those that were released without. */
const recordOutcomes = Effect.fnUntraced(function* (
  options: ExchangeOptions,
  claimId: string,
  accounts: ReadonlyArray<Stale>,
  attempts: ReadonlyArray<Attempt>,
) {
  const { database } = options
  const now = yield* Clock.currentTimeMillis
  const brought = attempts.flatMap(({ row: { userId, provider }, outcome }) =>
    Result.isSuccess(outcome) ? [{ userId, provider, tokens: outcome.success }] : [],
  )
  const refused = new Set(
    attempts.flatMap(({ row, outcome }) =>
      Result.isFailure(outcome) && outcome.failure._tag === "ReauthorizationRequired" ? [keyOf(row)] : [],
    ),
  )
  const rotated = new Map(attempts.map((one) => [keyOf(one.row), one.rotated]))
  const retries = new Map(
    yield* Effect.forEach(attempts, (one) =>
      Effect.map(retryAtOf(one, options), (retryAt) => [keyOf(one.row), retryAt] as const),
    ),
  )
  const released = accounts.map((account) => {
    const key = keyOf(account)
    const retryAt = retries.get(key) ?? null
    return { ...account, isRefused: refused.has(key), retryAt, refreshToken: rotated.get(key) ?? null }
  })
  const statements = [
    renewAccounts(database, claimId, now, brought),
    // After the renewed ones have let their claims go: whoever has the claim still, brought nothing.
    releaseAccounts(database, claimId, now, released),
    countOperations(database, now, attempts.map(toCount)),
  ]
  const [renewedRows, releasedRows] = yield* askDatabase("new tokens", () => database.batch(statements)).pipe(
    Effect.retry(writeRetries),
  )
  return { renewed: accountsIn(renewedRows), released: accountsIn(releasedRows) }
})

/**
 * Refreshes those of the accounts that it can claim: two statements and a batch, and one request an account, all at once. An account
 * without a result was claimed or changed by somebody else. Cannot be interrupted between the provider's answer and its being recorded.
 */
export const exchange = Effect.fn("exchange")(function* (accounts: ReadonlyArray<Stale>, options: ExchangeOptions) {
  const { database, copy } = options
  const claimId = crypto.randomUUID()
  const now = yield* Clock.currentTimeMillis
  const claimed = yield* rowsOf("claim", claimAccounts(database, claimId, now, accounts))
  const results = new Map<string, Result.Result<UsableToken, ExchangeError>>()
  if (claimed.length === 0) return results
  // What D1 took so long to claim could be claimed by others before its refresh ends: it is let go, and claimed anew.
  const isLate = (yield* Clock.currentTimeMillis) - now > claimMs / 2
  const rows = isLate ? [] : claimed.flatMap((row) => Option.toArray(decodeHeld(row)))
  const attempts = yield* Effect.forEach(rows, (row) => attempt(row, options), { concurrency: "unbounded" })
  const recorded = yield* recordOutcomes(options, claimId, accounts, attempts)
  const copies: Array<Copy> = []
  for (const { row, outcome, rotated } of attempts) {
    const key = keyOf(row)
    const taken = recorded.renewed.get(key)
    const released = recorded.released.get(key)
    if (Result.isFailure(outcome)) {
      // A refusal of tokens that somebody has replaced meanwhile says nothing of the new ones.
      if (released === undefined) continue
      results.set(key, Result.fail(outcome.failure))
      const tokens = rotated === null ? null : withRefreshToken(row, rotated)
      if (tokens !== null && hasCopy(released.stage)) copies.push({ ...released, tokens })
    } else if (taken !== undefined) {
      const { accessToken, expiresAt } = outcome.success
      results.set(key, Result.succeed({ accessToken, expiresAt, generation: taken.generation }))
      if (row.refusals > 0) {
        const { userId, provider, refusals } = row
        yield* Effect.logInfo("A grant that the provider had refused works again", { userId, provider, refusals })
      }
      if (hasCopy(taken.stage)) copies.push({ ...taken, tokens: outcome.success })
    }
  }
  yield* copy(copies)
  return results
}, Effect.uninterruptible)
