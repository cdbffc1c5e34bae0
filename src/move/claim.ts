import { Redacted } from "effect"
import type { TokenSet } from "../domain/token.ts"
import { type AccountKey, accountColumns, heldColumns, toStored } from "./account.ts"

// The statements of a refresh by D1's side. Each takes its accounts as one JSON parameter, however many they are.

/** How long the claim of a refresher that died keeps others out, in milliseconds. */
export const claimMs = 60_000

// The plus keeps SQLite from going through everybody whom D1 holds, by the index, instead of the few who are wanted, by the key.
const isHeld = "+holder = 'database'"

const isWanted =
  "user_accounts.user_id = wanted.value->>'userId' AND user_accounts.provider = wanted.value->>'provider'"

/** The condition that an account may be polled at this time, which is SQL: its grant is in use, or was refused and is to be tried again. */
export const mayPoll = (now: string): string =>
  `(state = 'connected' OR state = 'reauthorization_required' AND refresh_retry_at <= ${now})`

/** The condition that a grant may be refreshed at this time: the account may be polled, and no pause of the token endpoint lasts. */
const mayRefresh = (now: string): string =>
  `${mayPoll(now)} AND (refresh_retry_at IS NULL OR refresh_retry_at <= ${now})`

const claimStatement = `UPDATE user_accounts SET refresh_claim = ?2, refresh_claimed_until = ?3
  FROM json_each(?1) wanted WHERE ${isWanted} AND generation = wanted.value->>'generation'
    AND ${isHeld} AND is_active AND ${mayRefresh("?4")} AND refresh_token IS NOT NULL
    AND (refresh_claim IS NULL OR refresh_claimed_until <= ?4) AND (fenced_until IS NULL OR fenced_until <= ?4)
  RETURNING ${heldColumns}`

// Conditional on the claim and not on the time: a write that comes late is still that of the newest tokens, unless somebody else
// has claimed, set or taken the account meanwhile.
const renewStatement = `UPDATE user_accounts SET access_token = wanted.value->>'accessToken',
    refresh_token = wanted.value->>'refreshToken', expires_at = wanted.value->>'expiresAt', scope = wanted.value->>'scope',
    state = 'connected', refusals = 0, refresh_retry_at = NULL,
    generation = generation + 1, refresh_claim = NULL, refresh_claimed_until = NULL, updated_at = ?3
  FROM json_each(?1) wanted WHERE ${isWanted} AND refresh_claim = ?2 AND ${isHeld}
  RETURNING ${accountColumns}`

// The generation stays, being that of the access token: whoever waits for a new one must not take a new refresh token for it.
const releaseStatement = `UPDATE user_accounts SET refresh_claim = NULL, refresh_claimed_until = NULL,
    state = iif(wanted.value->>'isRefused', 'reauthorization_required', state),
    refusals = refusals + wanted.value->>'isRefused',
    refresh_retry_at = iif(wanted.value->>'isRefused', wanted.value->>'retryAt', coalesce(wanted.value->>'retryAt', refresh_retry_at)),
    refresh_token = coalesce(wanted.value->>'refreshToken', refresh_token), updated_at = ?3
  FROM json_each(?1) wanted WHERE ${isWanted} AND refresh_claim = ?2 AND ${isHeld}
  RETURNING ${accountColumns}`

/** An account whose grant is to be replaced, and the generation that it has: an account with another has been refreshed already. */
export interface Stale extends AccountKey {
  readonly generation: number
  /** Whether its token still works, so that nobody need wait for another's refresh. */
  readonly isUsable: boolean
}

export interface Renewed extends AccountKey {
  readonly tokens: TokenSet
}

export interface Released extends AccountKey {
  /** Whether the provider refused the grant itself. */
  readonly isRefused: boolean
  /** Until when no refresh is made: the next try of a refused grant, or the end of a pause. `null`: never, or nothing was asked for. */
  readonly retryAt: number | null
  /** One that came without an access token, in place of the one that was used; `null` for none. */
  readonly refreshToken: Redacted.Redacted<string> | null
}

/** Claims those of the accounts that can be claimed; returns their rows. */
export const claimAccounts = (
  database: D1Database,
  claimId: string,
  now: number,
  accounts: ReadonlyArray<Stale>,
): D1PreparedStatement => database.prepare(claimStatement).bind(JSON.stringify(accounts), claimId, now + claimMs, now)

/** Writes new tokens to those accounts that are still claimed; returns their rows. */
export const renewAccounts = (
  database: D1Database,
  claimId: string,
  now: number,
  renewed: ReadonlyArray<Renewed>,
): D1PreparedStatement => {
  const rows = renewed.map(({ userId, provider, tokens }) => ({ userId, provider, ...toStored(tokens) }))
  return database.prepare(renewStatement).bind(JSON.stringify(rows), claimId, now)
}

/** Releases claims that brought nothing; returns the rows whose claim was still there. */
export const releaseAccounts = (
  database: D1Database,
  claimId: string,
  now: number,
  released: ReadonlyArray<Released>,
): D1PreparedStatement => {
  const rows = released.map(({ userId, provider, isRefused, retryAt, refreshToken }) => ({
    ...{ userId, provider, isRefused, retryAt },
    refreshToken: refreshToken === null ? null : Redacted.value(refreshToken),
  }))
  return database.prepare(releaseStatement).bind(JSON.stringify(rows), claimId, now)
}
