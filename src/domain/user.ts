import { Schema } from "effect"

/** Longest user id accepted, in UTF-16 code units: Durable Object names are limited to 1,024 bytes. */
const userIdMaxLength = 256

/**
 * An opaque id, chosen by whoever runs the service. pollen never looks inside it. Well-formed: UTF-8 writes every half of a surrogate
 * pair that stands alone as the same three bytes, so that several ids would have one bearer token, and one object.
 */
export const UserId = Schema.String.pipe(
  Schema.check(
    Schema.isMinLength(1, { message: "must not be empty" }),
    Schema.isMaxLength(userIdMaxLength, { message: `must have at most ${userIdMaxLength} characters` }),
  ),
  Schema.check(
    Schema.makeFilter((text: string) => (text.isWellFormed() ? undefined : "must be well-formed Unicode text")),
  ),
  Schema.brand("UserId"),
)
export type UserId = typeof UserId.Type
