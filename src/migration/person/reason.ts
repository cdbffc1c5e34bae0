import { Match, Schema } from "effect"
import type { DatabaseUnavailable, LeaseLost, SealBroken } from "../../domain/error.ts"
import type { CommonError } from "../../rpc/contract.ts"
import type { ObjectTimedOut } from "../Core.ts"

/** Why a step of one person failed. The names are stable: they are counted and shown, and scripts search for them. */
const Reason = Schema.Literals([
  // Caused by rows in D1: every attempt fails until somebody changes them.
  "unreadable_user",
  "unreadable_row",
  "unknown_provider",
  "no_access_token",
  "no_refresh_token",
  "no_expiry",
  "duplicate_account",
  // Caused by the object.
  "object_unavailable",
  "object_overloaded",
  "object_timed_out",
  "object_failed",
  "object_misconfigured",
  "seal_broken",
  "not_held_by_object",
  "held_by_object",
  "forgotten",
  // Caused by either.
  "not_the_same",
  "grant_refused",
  "grant_not_tried",
  "refresh_under_way",
  "overtaken",
  "database_unavailable",
])
export type Reason = typeof Reason.Type

/** A step of one person failed. Other people's steps go on. */
export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  reason: Reason,
  /** For the log and for operators. Holds no secret, and nothing that `reason` says already. */
  detail: Schema.String,
}) {
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}

/**
 * The person's accounts changed during the step: the person set a token, or another page was faster. Nothing is wrong, and the step
 * begins again.
 */
export class Overtaken extends Schema.TaggedError<Overtaken>()("Overtaken", {}) {}

export const failed = (reason: Reason, detail: string) => new StepFailed({ reason, detail })

export const unreadableUser = () => failed("unreadable_user", "no object can have this name")

export const unreadableRow = () =>
  failed("unreadable_row", "a column of a row in user_accounts has a type or value that pollen cannot read")

/** The errors of a call to the object. */
type CoreError = CommonError | ObjectTimedOut | SealBroken | DatabaseUnavailable | LeaseLost

export const toStepFailed = (error: CoreError): StepFailed | Overtaken =>
  Match.valueTags(error, {
    LeaseLost: () => new Overtaken(),
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
