import { Schema } from "effect"
import { UserId } from "../../domain/user.ts"

// Schemas that several parts of the API share. Times are epoch milliseconds.

export const Moment = Schema.NullOr(Schema.Int)

/** A whole number from `minimum` to `maximum`. */
export const whole = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })))

/** A list of 1 to `maximum` user ids. */
export const people = (maximum: number) =>
  Schema.Array(UserId).pipe(
    Schema.check(
      Schema.isMinLength(1, { message: "must not be empty" }),
      Schema.isMaxLength(maximum, { message: `must have at most ${maximum} entries` }),
    ),
  )

/** People that a request for a run names at most. */
export const namedAtMost = 1000
