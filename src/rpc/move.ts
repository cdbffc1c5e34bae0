import { Schema } from "effect"
import {
  AccountNotConnected,
  DatabaseUnavailable,
  HeldElsewhere,
  LeaseLost,
  ProviderUnavailable,
  RateLimited,
  ReauthorizationRequired,
  SealBroken,
} from "../domain/error.ts"
import { FingerprintKey } from "../domain/fingerprint.ts"
import { Provider } from "../domain/provider.ts"
import { GrantPast } from "../domain/refusal.ts"
import { SourceDetails } from "../domain/subscription.ts"
import { AccountState, EpochMillis, GivenTokens, Secret, TokenSet } from "../domain/token.ts"
import { UserId } from "../domain/user.ts"
import { contract } from "./contract.ts"
import { SubscriptionPage, SubscriptionQuery } from "./methods.ts"

// The methods of a person's object that carry grants from one holder to the other, and read them meanwhile. docs/move.md tells
// in which order, and why no order of failures leaves two holders or a lost token.

const userId = UserId

/**
 * The number of the lease under which a page of the migrator has the person in hand. An object that has seen a higher one answers
 * `LeaseLost` and changes nothing; a call of nobody's page has none, and is not refused.
 */
const lease = Schema.optionalKey(Schema.Int)

/** Which account, and the epoch at which its right to refresh is, or comes to be, where the method says. */
const AccountEpoch = Schema.Struct({ provider: Provider, epoch: Schema.Int })

const accountsOf = <S extends Schema.Constraint>(account: S) =>
  Schema.Array(account).pipe(Schema.check(Schema.isMaxLength(10, { message: "must have at most 10 entries" })))

/**
 * Keeps a copy of grants that D1 holds. Never makes the object their holder: an account that it holds already, or that it knows
 * of a later epoch, is kept as it is; so is a copy of a later generation of D1's row, since calls may overtake each other.
 */
export const ImportTokens = contract("importTokens", {
  payload: Schema.Struct({
    userId,
    lease,
    accounts: accountsOf(
      Schema.Struct({
        ...AccountEpoch.fields,
        /** Of D1's row, when it had these tokens. */
        generation: Schema.Int,
        /** `connected` unless said. What the provider has refused stays refused. */
        state: Schema.optionalKey(AccountState),
        /** `null` of an account of which nothing is left but that the person has to connect it again. */
        tokens: Schema.NullOr(TokenSet),
      }),
    ),
  }),
  success: Schema.Struct({
    accounts: Schema.Array(Schema.Struct({ provider: Provider, outcome: Schema.Literals(["imported", "kept"]) })),
  }),
  error: LeaseLost,
  idempotent: true,
})

/** How a grant did when it was tried: `expired` and `unknown` (the provider gave no answer) prove nothing against it. */
export const GrantUse = Schema.Literals(["works", "refused", "expired", "unknown", "not_tried"])

/**
 * Opens what the object keeps and tells its fingerprints under the caller's key (`newFingerprintKey`), and, if asked, uses each
 * access token for one cheap question. Refreshes nothing.
 */
export const FingerprintTokens = contract("fingerprintTokens", {
  payload: Schema.Struct({
    userId,
    key: FingerprintKey,
    probe: Schema.Boolean,
  }),
  success: Schema.Struct({
    accounts: Schema.Array(
      Schema.Struct({
        ...AccountEpoch.fields,
        isHolder: Schema.Boolean,
        state: AccountState,
        /** `null` when the seal does not open; then `reason` says why. */
        fingerprint: Schema.NullOr(Schema.String),
        use: GrantUse,
        reason: Schema.NullOr(Schema.String),
      }),
    ),
  }),
  error: Schema.Never,
  idempotent: true,
})

/** A source that the legacy poller polled, and where it stopped. Times are epoch milliseconds. */
export const HandedSource = Schema.Struct({
  provider: Provider,
  sourceId: Schema.String,
  ...SourceDetails.fields,
  followedAt: EpochMillis,
  /** When it was last asked with success; `null`: never, so the object's first poll delivers a backfill. */
  polledAt: Schema.NullOr(EpochMillis),
  /** The item count that the library showed then. */
  itemCount: Schema.NullOr(Schema.Int),
  /** What is in the person's feed of it, the newest first: id and publication time. */
  known: Schema.Array(Schema.Tuple([Schema.String, Schema.Int])),
})
export type HandedSource = typeof HandedSource.Type

/**
 * Makes the object the holder of accounts of which it keeps a copy, as of the epoch that D1 has given away. It polls from here,
 * going on where the legacy poller stopped. `isMirrored`: D1 is kept a copy of every token from now on.
 */
export const TakeOver = contract("takeOver", {
  payload: Schema.Struct({
    userId,
    lease,
    accounts: accountsOf(
      Schema.Struct({
        ...AccountEpoch.fields,
        /** Nothing unless said: the object tries a refused grant no more. */
        past: Schema.optionalKey(GrantPast),
      }),
    ),
    sources: Schema.Array(HandedSource),
    isMirrored: Schema.Boolean,
  }),
  success: Schema.Struct({
    durableObjectId: Schema.String,
    accounts: Schema.Array(
      Schema.Struct({
        provider: Provider,
        /** `no_copy`: there is nothing to hold. `superseded`: the object knows of a later epoch. */
        outcome: Schema.Literals(["held", "already_held", "no_copy", "superseded"]),
      }),
    ),
  }),
  error: LeaseLost,
  idempotent: true,
})

/** An account as it goes back. */
const HandedBack = Schema.Struct({
  provider: Provider,
  /** The epoch that the object knows of now. */
  epoch: Schema.Int,
  /**
   * `handed_back`: D1 takes the right, with what `state` and `tokens` say. `nothing_newer`: the object never came to hold the account,
   * and will not as of an earlier epoch; D1 takes the right with the tokens it has. `superseded`: the object knows of a later epoch,
   * and nothing was done. `broken`: the grant does not open, and D1 does not take the right.
   */
  outcome: Schema.Literals(["handed_back", "nothing_newer", "superseded", "broken"]),
  state: AccountState,
  /** The newest; `null` unless handed back, and of an account that the person has disconnected. */
  tokens: Schema.NullOr(TokenSet),
  /** Of a grant that is handed back. */
  past: Schema.optionalKey(GrantPast),
})

/**
 * Gives accounts up as of an epoch: waits for a refresh under way, is durable before it answers with the newest tokens, and has
 * delivered by then what D1 had not yet, with where each source was when it was last polled. From then on the object keeps a copy.
 * Asked again at the same epoch, it answers the same. `DatabaseUnavailable`: given up, but not all of that is delivered; ask again.
 * `SealBroken`: none of the grants opens, and nothing was given up.
 */
export const HandBack = contract("handBack", {
  payload: Schema.Struct({ userId, lease, accounts: accountsOf(AccountEpoch) }),
  success: Schema.Struct({ accounts: Schema.Array(HandedBack) }),
  error: Schema.Union([SealBroken, DatabaseUnavailable, LeaseLost]),
  idempotent: true,
})

/**
 * Starts or stops keeping D1 a mirror of the grants held here. Started, it answers when D1 has them, or fails; one that does not open is left
 * out, and `SealBroken` where none opens.
 */
export const SetMirror = contract("setMirror", {
  payload: Schema.Struct({ userId, lease, isMirrored: Schema.Boolean }),
  success: Schema.Struct({ isMirrored: Schema.Boolean }),
  error: Schema.Union([DatabaseUnavailable, SealBroken, LeaseLost]),
  idempotent: true,
})

/** Forgets the copies of grants that the object does not hold: of one provider, or all. */
export const DiscardCopies = contract("discardCopies", {
  payload: Schema.Struct({ userId, lease, provider: Schema.optionalKey(Provider) }),
  success: Schema.Struct({ discarded: Schema.Array(Provider) }),
  error: LeaseLost,
  idempotent: true,
})

const tokenErrors = [
  AccountNotConnected,
  ReauthorizationRequired,
  ProviderUnavailable,
  RateLimited,
  SealBroken,
  DatabaseUnavailable,
] as const

/**
 * An access token that works for at least the next minutes, for a worker that acts on the person's behalf. `source` tells who
 * answered: the object, D1 where it holds the grant, or D1's mirror while the object cannot be reached.
 */
export const GetAccessToken = contract("getAccessToken", {
  payload: Schema.Struct({ userId, provider: Provider }),
  success: Schema.Struct({
    accessToken: Secret,
    expiresAt: EpochMillis,
    source: Schema.Literals(["object", "database", "mirror"]),
  }),
  error: Schema.Union(tokenErrors),
  idempotent: true,
})

// What the entrypoints of the core worker ask an object on behalf of the methods of the same names: an object that does not hold
// the account says so, and they turn to D1.

/** `getAccessToken`, of the object alone. Who keeps a copy tells its fingerprint under `compareKey`. */
export const HolderGetAccessToken = contract("getAccessToken", {
  payload: Schema.Struct({
    userId,
    provider: Provider,
    compareKey: Schema.optionalKey(FingerprintKey),
  }),
  success: Schema.Struct({ accessToken: Secret, expiresAt: EpochMillis }),
  error: Schema.Union([...tokenErrors, HeldElsewhere]),
  idempotent: true,
})

/** `listSubscriptions`, of the object alone: of the accounts that it holds, which it names. */
export const HolderListSubscriptions = contract("listSubscriptions", {
  payload: SubscriptionQuery,
  success: Schema.Struct({ ...SubscriptionPage.fields, held: Schema.Array(Provider) }),
  error: Schema.Never,
  idempotent: true,
})

/**
 * `setToken`, of the object alone. With `asOf` the object holds the account as of that epoch, unless it knows of a later one, and
 * goes on with the sources where the legacy poller stopped; without, one that does not hold it already refuses.
 */
export const HolderSetToken = contract("setToken", {
  payload: Schema.Struct({
    userId,
    provider: Provider,
    /** Without a refresh token, the account is held, and its grant works. */
    tokens: GivenTokens,
    isProbed: Schema.optionalKey(Schema.Boolean),
    asOf: Schema.optionalKey(Schema.Struct({ epoch: Schema.Int, sources: Schema.Array(HandedSource) })),
  }),
  success: Schema.Struct({ state: AccountState, generation: Schema.Int }),
  error: Schema.Union([HeldElsewhere]),
  idempotent: true,
})

/**
 * `removeToken`, of the object alone. With an epoch the object holds the account as of that epoch, disconnected, unless it knows of
 * a later one; without, one that does not hold it already refuses.
 */
export const HolderRemoveToken = contract("removeToken", {
  payload: Schema.Struct({ userId, provider: Provider, epoch: Schema.optionalKey(Schema.Int) }),
  success: Schema.Struct({ removed: Schema.Boolean }),
  error: Schema.Union([HeldElsewhere]),
  idempotent: true,
})
