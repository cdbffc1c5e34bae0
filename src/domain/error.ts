import { Schema } from "effect"
import { PauseReason } from "./pause.ts"
import { Provider } from "./provider.ts"
import { EpochMillis } from "./token.ts"

/** The payload does not fit the contract. Values are never repeated here: one of them may be a token. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  method: Schema.String,
  issues: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })),
}) {
  override get message(): string {
    return `${this.method}: ${this.issues.map(({ path, message }) => `${path || "payload"} ${message}`).join("; ")}`
  }
}

/** A defect. What happened is in the log of the worker that hosts the method, under the same reference. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {
  reference: Schema.String,
}) {
  override get message(): string {
    return `Something went wrong inside pollen; its log has the details under ${this.reference}`
  }
}

/**
 * The platform could not reach the object or the worker that hosts it.
 * `retryable` and `overloaded` are what the platform said: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export class ObjectUnavailable extends Schema.TaggedError<ObjectUnavailable>()("ObjectUnavailable", {
  method: Schema.String,
  retryable: Schema.Boolean,
  overloaded: Schema.Boolean,
}) {
  override get message(): string {
    return `${this.method}: the object could not be reached${this.overloaded ? ", it is overloaded" : ""}`
  }
}

/** A setting is missing or wrong. Says which one and what to do, never its value. */
export class Misconfigured extends Schema.TaggedError<Misconfigured>()("Misconfigured", {
  problem: Schema.String,
}) {
  override get message(): string {
    return this.problem
  }
}

/**
 * The person was erased while this was under way, or before: nothing was kept. What is under way for them is refused for ever; only
 * a `setToken` that begins after the erasure starts anew.
 */
export class PersonForgotten extends Schema.TaggedError<PersonForgotten>()("PersonForgotten", {
  method: Schema.String,
}) {
  override get message(): string {
    return `${this.method}: the person has been erased; nothing was kept`
  }
}

/** A later page of the migrator has the person in hand: what an earlier one still asks for is refused, and changes nothing. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  method: Schema.String,
}) {
  override get message(): string {
    return `${this.method}: a later page of the migrator has this person in hand`
  }
}

/** The person has not connected this provider, or has disconnected it. */
export class AccountNotConnected extends Schema.TaggedError<AccountNotConnected>()("AccountNotConnected", {
  provider: Provider,
}) {
  override get message(): string {
    return `No ${this.provider} account is connected; set a token first`
  }
}

/** The provider refused the grant. Only `setToken` ends this. */
export class ReauthorizationRequired extends Schema.TaggedError<ReauthorizationRequired>()("ReauthorizationRequired", {
  provider: Provider,
  reason: Schema.String,
}) {
  override get message(): string {
    return `${this.provider} no longer accepts this grant (${this.reason}); the person has to connect again`
  }
}

/** The provider did not answer, or not with sense. It is tried again by itself. */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()("ProviderUnavailable", {
  provider: Provider,
  reason: Schema.String,
  /** When pollen tries again by itself: epoch milliseconds, `null` where the caller decides. */
  retryAt: Schema.NullOr(EpochMillis),
}) {
  override get message(): string {
    return `${this.provider} is unavailable: ${this.reason}`
  }
}

/** The provider asked for silence by `Retry-After` or a quota that is used up, or the application has no request left for it. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  provider: Provider,
  reason: PauseReason,
  /** Nothing is asked of the provider before then: epoch milliseconds. */
  retryAt: EpochMillis,
}) {
  override get message(): string {
    const until = new Date(this.retryAt).toISOString()
    return this.reason === "budget_spent"
      ? `the application's requests to ${this.provider} are used up until ${until} (${this.reason})`
      : `${this.provider} asked to wait until ${until} (${this.reason})`
  }
}

/** A sealed token does not open: another key, another person, or damage. */
export class SealBroken extends Schema.TaggedError<SealBroken>()("SealBroken", {
  provider: Provider,
  reason: Schema.Literals(["unknown_key", "does_not_open"]),
  keyId: Schema.String,
}) {
  override get message(): string {
    return this.reason === "unknown_key"
      ? `The ${this.provider} token is sealed under key "${this.keyId}", which TOKEN_KEYS does not hold; put that key back`
      : `The ${this.provider} token sealed under key "${this.keyId}" does not open: it was sealed for somebody else, or is damaged`
  }
}

/** D1 did not take a statement. Deliveries wait in the outbox; a call that needs D1 itself ends with this. */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()("DatabaseUnavailable", {
  operation: Schema.String,
  reason: Schema.String,
}) {
  override get message(): string {
    return `D1 did not answer (${this.operation}): ${this.reason}`
  }
}

/**
 * This object does not hold the account: D1 does, or it was never heard of here. Told to the entrypoints of the core worker, which
 * then turn to D1; never to their callers.
 */
export class HeldElsewhere extends Schema.TaggedError<HeldElsewhere>()("HeldElsewhere", {
  provider: Provider,
  /** The epoch that the object knows of: 0 for an account that it has never heard of; after an erasure, the one to begin at. */
  epoch: Schema.Int,
  /** Whether the person has been erased, and has not connected this account since. */
  isForgotten: Schema.optionalKey(Schema.Boolean),
  /** Whether it keeps a copy of the grant. */
  hasCopy: Schema.Boolean,
  /** Of that copy, under the key that the caller sent; `null` without either. */
  fingerprint: Schema.NullOr(Schema.String),
}) {
  override get message(): string {
    return `The ${this.provider} account is not held by this object`
  }
}
