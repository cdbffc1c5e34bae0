import { Schema } from "effect"
import { AccountNotConnected, DatabaseUnavailable, SealBroken } from "../domain/error.ts"
import { Provider } from "../domain/provider.ts"
import { Holder } from "../domain/stage.ts"
import { Subscription } from "../domain/subscription.ts"
import { AccountState, EpochMillis, GivenTokens, TokenEvent, TokenSet } from "../domain/token.ts"
import { UserId } from "../domain/user.ts"
import { contract } from "./contract.ts"

// The methods of a person's object. The entrypoints of the core worker offer the same contracts, each a part of them.

const userId = UserId
const Count = Schema.Int
const Moment = Schema.NullOr(EpochMillis)

/**
 * Stores a grant where it belongs: in the object, or, for somebody who has not moved, in D1. Ends `reauthorization_required`, wins
 * over a refresh under way, and starts polling.
 */
export const SetToken = contract("setToken", {
  payload: Schema.Struct({
    userId,
    provider: Provider,
    /**
     * `authorizedAt`: now unless said; `null` where nobody knows. Without a refresh token the one that there is stays, where it is of the
     * same account and client.
     */
    tokens: GivenTokens,
    /** Whether a grant is tried with one request before it takes the place of one that works: true unless said. */
    isProbed: Schema.optionalKey(Schema.Boolean),
  }),
  success: Schema.Struct({ state: AccountState, generation: Count }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

/** Forgets a grant and stops polling that provider. What was delivered stays in the feed. */
export const RemoveToken = contract("removeToken", {
  payload: Schema.Struct({ userId, provider: Provider }),
  success: Schema.Struct({ removed: Schema.Boolean }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

/** Opens every grant and asks its provider one cheap question with it. */
export const ValidateTokens = contract("validateTokens", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({
    accounts: Schema.Array(
      Schema.Struct({
        provider: Provider,
        isValid: Schema.Boolean,
        /** Why not, or why it is unknown; `null` when valid. */
        reason: Schema.NullOr(Schema.String),
      }),
    ),
  }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

/** Refreshes one grant, or all. Without `force` only those that expire within 5 minutes. */
export const RefreshTokens = contract("refreshTokens", {
  payload: Schema.Struct({
    userId,
    provider: Schema.optionalKey(Provider),
    force: Schema.optionalKey(Schema.Boolean),
  }),
  success: Schema.Struct({
    accounts: Schema.Array(
      Schema.Struct({
        provider: Provider,
        outcome: Schema.Literals(["still_valid", "refreshed", "failed", "reauthorization_required"]),
        expiresAt: Moment,
        reason: Schema.NullOr(Schema.String),
      }),
    ),
  }),
  error: Schema.Union([AccountNotConnected, DatabaseUnavailable]),
  idempotent: true,
})

/** How far a poll has come. Sent to the callback of `pollNow` after each source. */
export const PollProgress = Schema.Struct({
  provider: Provider,
  sourceId: Schema.String,
  title: Schema.String,
  outcome: Schema.Literals(["polled", "failed"]),
  itemsFound: Count,
  /** Sources finished and sources to ask in this pass. */
  finished: Count,
  total: Count,
})
export type PollProgress = typeof PollProgress.Type

export const AccountPoll = Schema.Struct({
  provider: Provider,
  /**
   * `held_by_database`: the account has not moved into the object yet, and is polled by the legacy poller. `too_soon`: somebody
   * requested a poll a moment ago; nothing was asked, and `retryAt` is when the next may be requested.
   */
  outcome: Schema.Literals([
    "polled",
    "rate_limited",
    "unavailable",
    "reauthorization_required",
    "seal_broken",
    "held_by_database",
    "too_soon",
  ]),
  reason: Schema.NullOr(Schema.String),
  /** When this provider is asked again, or may be, if the poll did not go through. */
  retryAt: Moment,
  /** What the person follows there, how many of them had to be asked, and how many of those failed. */
  sources: Count,
  asked: Count,
  failed: Count,
  itemsFound: Count,
  /** Requests made to the provider. */
  requests: Count,
})
export type AccountPoll = typeof AccountPoll.Type

/**
 * Polls everything the person follows now, or joins the poll under way. Accounts that D1 holds are polled by the legacy poller in its
 * own time, and told so.
 */
export const PollNow = contract("pollNow", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({
    accounts: Schema.Array(AccountPoll),
    /** Items that reached D1 during this call, and what is still in the outbox because D1 did not take it. */
    delivered: Count,
    undelivered: Count,
  }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

export const AccountStatus = Schema.Struct({
  provider: Provider,
  /** Who may refresh the grant, and polls: the object, or D1 with the legacy poller; and since which epoch (docs/move.md). */
  holder: Holder,
  epoch: Count,
  state: AccountState,
  reason: Schema.NullOr(Schema.String),
  /** `null` where D1 holds the account, which does not know. */
  connectedAt: Moment,
  /** When the access token expires. */
  expiresAt: Moment,
  /** When the person authorized the grant; `null` where nobody knows. */
  authorizedAt: Moment,
  /** By when the person has to connect again, because the grant ends by its age; `null` where it does not, or nobody knows. */
  reconnectBy: Moment,
  /** The name of the OAuth client that the grant was issued to; `null`: the default one. */
  client: Schema.NullOr(Schema.String),
  /** The id of the key that seals the grant. */
  keyId: Schema.NullOr(Schema.String),
  /** Until when the provider asked not to be asked. */
  rateLimitedUntil: Moment,
  rateLimitReason: Schema.NullOr(Schema.String),
  failures: Count,
  retryAt: Moment,
  sources: Count,
  failingSources: Count,
})

/** One pass of an account, as remembered. */
export const PollRecord = Schema.Struct({
  provider: Provider,
  trigger: Schema.Literals(["alarm", "request"]),
  startedAt: EpochMillis,
  durationMs: Count,
  outcome: Schema.String,
  asked: Count,
  failed: Count,
  itemsFound: Count,
  requests: Count,
})

/** Everything worth knowing about a person's object, without a secret in it; and which accounts D1 holds. */
export const GetStatus = contract("getStatus", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({
    userId: Schema.String,
    durableObjectId: Schema.String,
    accounts: Schema.Array(AccountStatus),
    /** The subscriptions that fail, and why; at most 100, the longest failing first. */
    failing: Schema.Array(Subscription),
    alarmAt: Moment,
    undelivered: Count,
    /** Why D1 did not take the last delivery; `null` when it did. */
    deliveryFailure: Schema.NullOr(Schema.String),
    /** Rows that D1 refuses for what they are: they stop nobody else, and `redeliver` sends them again. Why the last one was refused. */
    setAside: Count,
    setAsideReason: Schema.NullOr(Schema.String),
    /** The newest 50. */
    events: Schema.Array(TokenEvent),
    /** The newest 20, without those by the alarm that asked for nothing. */
    polls: Schema.Array(PollRecord),
  }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

/** Ends the pauses that providers asked for, of one provider or all: for an operator who knows better. Asks no provider anything itself. */
export const EndPauses = contract("endPauses", {
  payload: Schema.Struct({ userId, provider: Schema.optionalKey(Provider) }),
  success: Schema.Struct({ ended: Schema.Array(Provider) }),
  error: Schema.Never,
  idempotent: true,
})

/** Sends D1 again what it refused, once an operator has seen to the reason. What it refuses again is set aside again. */
export const Redeliver = contract("redeliver", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({ delivered: Count, undelivered: Count, setAside: Count }),
  error: Schema.Never,
  idempotent: true,
})

export const SubscriptionQuery = Schema.Struct({
  userId,
  provider: Schema.optionalKey(Provider),
  /** `next` of the page before. */
  cursor: Schema.optionalKey(Schema.String.pipe(Schema.check(Schema.isMaxLength(8192)))),
  limit: Schema.optionalKey(
    Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 500 }, { message: "must be 1 to 500" }))),
  ),
})

export const SubscriptionPage = Schema.Struct({
  subscriptions: Schema.Array(Subscription),
  next: Schema.NullOr(Schema.String),
})

/** What the person follows, by provider and source id, a page at a time. */
export const ListSubscriptions = contract("listSubscriptions", {
  payload: SubscriptionQuery,
  success: SubscriptionPage,
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})

/** Repairs the alarm, reports to D1, and lets the alarm do whatever is overdue. Asks no provider anything itself. */
export const Wake = contract("wake", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({
    alarmAt: Moment,
    /** How long ago the earliest due thing was due, in milliseconds; 0 when nothing is overdue. */
    overdueMs: Count,
  }),
  error: Schema.Never,
  idempotent: true,
})

const ExportedAccount = Schema.Struct({ provider: Provider, state: AccountState, tokens: TokenSet })

/** A grant that does not open beside others that do, and why. */
const BrokenSeal = Schema.Struct({ provider: Provider, reason: Schema.String })

/**
 * Hands out the grants in the clear, and says which do not open; `SealBroken` where none does. Only the migration worker's entrypoint
 * carries it.
 */
export const ExportTokens = contract("exportTokens", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({
    accounts: Schema.Array(ExportedAccount),
    broken: Schema.optionalKey(Schema.Array(BrokenSeal)),
  }),
  error: Schema.Union([SealBroken]),
  idempotent: true,
})

/** Erases the person: the object's storage and alarm, and their rows in D1. */
export const Forget = contract("forget", {
  payload: Schema.Struct({ userId }),
  success: Schema.Struct({ forgotten: Schema.Boolean }),
  error: Schema.Union([DatabaseUnavailable]),
  idempotent: true,
})
