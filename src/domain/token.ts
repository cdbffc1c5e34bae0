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

/** What a provider's token endpoint gave for one grant. */
export const TokenSet = Schema.Struct({
  accessToken: Secret,
  refreshToken: Secret,
  /** When the access token stops working: epoch milliseconds. */
  expiresAt: EpochMillis,
  scope: Schema.Array(Schema.String.pipe(Schema.check(Schema.isMaxLength(200)))).pipe(
    Schema.check(Schema.isMaxLength(50, { message: "must have at most 50 entries" })),
  ),
})
export type TokenSet = typeof TokenSet.Type

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
  "recovered",
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
