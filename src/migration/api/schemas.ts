import { Schema } from "effect"
import { UserId } from "../../domain/user.ts"

// What several parts of the API have in common. Times are epoch milliseconds.

export const Moment = Schema.NullOr(Schema.Int)

/** A number of whole seconds, people, rows, from `minimum` to `maximum`. */
export const whole = (minimum: number, maximum: number) =>
  Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum, maximum }, { message: `must be ${minimum} to ${maximum}` })))

/** User ids, 1 to `maximum` of them. */
export const people = (maximum: number) =>
  Schema.Array(UserId).pipe(
    Schema.check(
      Schema.isMinLength(1, { message: "must not be empty" }),
      Schema.isMaxLength(maximum, { message: `must have at most ${maximum} entries` }),
    ),
  )

/** Most people that a run can be given by name. */
export const namedAtMost = 1000
