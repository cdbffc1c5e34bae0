import { Predicate } from "effect"
import { DatabaseUnavailable } from "./error.ts"

/** D1's reason, without the statement and parameters that drizzle puts around it. */
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
