import { Schema } from "effect"
import { Provider } from "./provider.ts"

/** Epoch milliseconds, UTC. */
export const EpochMillis = Schema.Int.pipe(
  Schema.check(Schema.isGreaterThanOrEqualTo(0, { message: "must be epoch milliseconds" })),
)

/** Longest token accepted. Google's are about 200 characters, Spotify's about 300. */
const tokenMaxLength = 4096

const TokenText = Schema.String.pipe(
  Schema.check(
    Schema.isMinLength(1, { message: "must not be empty" }),
    Schema.isMaxLength(tokenMaxLength, { message: `must have at most ${tokenMaxLength} characters` }),
  ),
)

/** A secret that is a plain string on the wire and `Redacted` wherever a program can see it. */
export const Secret = Schema.RedactedFromValue(TokenText)

/** The name that the operator's settings give an OAuth client. */
export const ClientName = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/, { message: "must be 1 to 64 letters, digits, - and _" })),
)

/** What a provider's token endpoint gave for one grant. */
export const TokenSet = Schema.Struct({
  accessToken: Secret,
  refreshToken: Secret,
  /** When the access token stops working: epoch milliseconds. */
  expiresAt: EpochMillis,
  scope: Schema.Array(Schema.String.pipe(Schema.check(Schema.isMaxLength(200)))).pipe(
    Schema.check(Schema.isMaxLength(50, { message: "must have at most 50 entries" })),
  ),
  /** When the person authorized the grant; refreshing does not change it. `null`, or left out: nobody knows. */
  authorizedAt: Schema.optionalKey(Schema.NullOr(EpochMillis)),
  /** The name of the OAuth client that the grant was issued to. `null`, or left out: the default one. */
  client: Schema.optionalKey(Schema.NullOr(ClientName)),
})
export type TokenSet = typeof TokenSet.Type

/** What a person's app gives: a consent may have brought no refresh token, and then the one that there is stays. */
export const GivenTokens = Schema.Struct({ ...TokenSet.fields, refreshToken: Schema.optionalKey(Secret) })
export type GivenTokens = typeof GivenTokens.Type

/**
 * `connected`: the grant is believed to work; outages do not change that.
 * `reauthorization_required`: the provider refused the grant; nothing is asked of it until `setToken`.
 * `disconnected`: the person took the tokens away.
 */
export const AccountState = Schema.Literals(["connected", "reauthorization_required", "disconnected"])
export type AccountState = typeof AccountState.Type

/** What happened to an account or its grant. Kept in the object, listed by `getStatus`, published to a Queue if one is bound. */
export const TokenEventType = Schema.Literals([
  "connected",
  "token_set",
  "refreshed",
  "rotated",
  "resealed",
  "refresh_failed",
  "reconnect_soon",
  "recovered",
  "pause_bounded",
  "pause_ended",
  "reauthorization_required",
  "disconnected",
  "exported",
  "imported",
  "taken_over",
  "handed_back",
])
export type TokenEventType = typeof TokenEventType.Type

export const TokenEvent = Schema.Struct({
  provider: Provider,
  type: TokenEventType,
  /** Epoch milliseconds. */
  at: EpochMillis,
  /** Why, in words; never a secret. */
  detail: Schema.NullOr(Schema.String),
})
export type TokenEvent = typeof TokenEvent.Type

/** Longest time before its expiry at which an access token is refreshed, in milliseconds. Covers clock skew. */
const longestLeadMs = 5 * 60_000

/**
 * The part of its lifetime at whose end an access token is refreshed, if that is less: a tenth. One that lives an hour is refreshed 5
 * minutes ahead, one that lives 5 minutes 30 seconds ahead; with a fixed lead that would be refreshed before every use.
 */
const leadPart = 1 / 10

/** A token that outlives this, in milliseconds, still works for the caller that it is given to. */
const usableMs = 30_000

/** When an access token expires: epoch milliseconds. */
interface Expiring {
  readonly expiresAt: number
}

/** And when it was issued, as far as is known: epoch milliseconds. A later moment than the true one makes the lead shorter. */
interface Issued extends Expiring {
  readonly issuedAt: number
}

/** Whether an access token is refreshed before it is given out. */
export const needsRefresh = ({ expiresAt, issuedAt }: Issued, now: number): boolean =>
  expiresAt - now <= Math.min(longestLeadMs, Math.max(0, expiresAt - issuedAt) * leadPart)

/** Whether an access token still works for a while, so that it may be given out when there is no new one. */
export const isUsable = ({ expiresAt }: Expiring, now: number): boolean => expiresAt - now > usableMs

/** Whether a refresh failed for a reason that says nothing about the grant: the provider is down, or asked to wait. */
export const isOutage = ({ _tag }: { readonly _tag: string }): boolean =>
  _tag === "ProviderUnavailable" || _tag === "RateLimited"

/**
 * What keeps refreshes of a grant back: backoff after failures, and the `Retry-After` of the token endpoint. Rate limits and quotas of
 * the API are not among it, nor does the token endpoint's limit keep requests to the API back: neither provider documents that one
 * says anything about the other. Epoch milliseconds.
 */
export interface RefreshHold {
  readonly retryAt: number | null
  readonly refreshLimitedUntil: number | null
}

/** The earliest moment at which a grant may be refreshed: epoch milliseconds, 0 when nothing keeps it back. */
export const refreshableAt = ({ retryAt, refreshLimitedUntil }: RefreshHold): number =>
  Math.max(retryAt ?? 0, refreshLimitedUntil ?? 0)

/**
 * The earliest moment from `wanted` on at which the API may be asked with a grant: not before the API's own limit ends, and, where the
 * access token does not work then, not before a new one can be had. A moment that has passed means now. Epoch milliseconds.
 */
export const requestableAt = (
  wanted: number,
  apiLimitedUntil: number | null,
  grant: Expiring & RefreshHold,
  now: number,
): number => {
  const at = Math.max(wanted, apiLimitedUntil ?? 0)
  return isUsable(grant, Math.max(at, now)) ? at : Math.max(at, refreshableAt(grant))
}
