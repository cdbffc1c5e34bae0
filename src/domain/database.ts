import { Predicate } from "effect"
import { DatabaseUnavailable } from "./error.ts"

/** Why D1 refused, without the statement and its parameters that drizzle puts around it. */
const reasonOf = (thrown: unknown): string =>
  Predicate.hasProperty(thrown, "cause") && thrown.cause instanceof Error
    ? reasonOf(thrown.cause)
    : thrown instanceof Error
      ? thrown.message
      : "unknown"

export const toDatabaseUnavailable =
  (operation: string) =>
  (thrown: unknown): DatabaseUnavailable =>
    new DatabaseUnavailable({ operation, reason: reasonOf(thrown) })
