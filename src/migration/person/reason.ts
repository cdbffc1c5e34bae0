import { Match, Schema } from "effect"
import type { DatabaseUnavailable, SealBroken } from "../../domain/error.ts"
import type { CommonError } from "../../rpc/contract.ts"
import type { ObjectTimedOut } from "../Core.ts"

/** Why a person could not be taken a step. Stable names: they are counted, shown, and looked for by scripts. */
const Reason = Schema.Literals([
  // Of the rows in D1: nothing changes until somebody changes them.
  "unreadable_user",
  "unreadable_row",
  "unknown_provider",
  "no_access_token",
  "no_refresh_token",
  "no_expiry",
  "duplicate_account",
  // Of the object.
  "object_unavailable",
  "object_overloaded",
  "object_timed_out",
  "object_failed",
  "object_misconfigured",
  "seal_broken",
  "not_held_by_object",
  "held_by_object",
  "forgotten",
  // Of both.
  "not_the_same",
  "grant_refused",
  "grant_not_tried",
  "refresh_under_way",
  "overtaken",
  "database_unavailable",
])
export type Reason = typeof Reason.Type

/** One person's step came to nothing. Never stops another person's. */
export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  reason: Reason,
  /** For the log; no secret, and nothing that `reason` says already. */
  detail: Schema.String,
}) {
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}

/**
 * The person's accounts changed while they were being moved: somebody set a token, or another page was faster. Nothing is wrong; the
 * step begins again.
 */
export class Overtaken extends Schema.TaggedError<Overtaken>()("Overtaken", {}) {}

export const failed = (reason: Reason, detail: string) => new StepFailed({ reason, detail })

/** What calling the object may end with. */
type CoreError = CommonError | ObjectTimedOut | SealBroken | DatabaseUnavailable

export const toStepFailed = (error: CoreError): StepFailed =>
  Match.valueTags(error, {
    ObjectUnavailable: ({ overloaded, message }) =>
      failed(overloaded ? "object_overloaded" : "object_unavailable", message),
    ObjectTimedOut: ({ message }) => failed("object_timed_out", message),
    InternalError: ({ message }) => failed("object_failed", message),
    InvalidRequest: ({ message }) => failed("object_failed", message),
    Misconfigured: ({ message }) => failed("object_misconfigured", message),
    PersonForgotten: ({ message }) => failed("forgotten", message),
    SealBroken: ({ message }) => failed("seal_broken", message),
    DatabaseUnavailable: ({ message }) => failed("database_unavailable", message),
  })
