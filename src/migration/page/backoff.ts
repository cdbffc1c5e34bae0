import { backoff } from "../../domain/backoff.ts"

/** First and longest wait before a failed step is retried. Most failures are an object or a provider that is briefly unavailable. */
const bounds = { firstMs: 10_000, longestMs: 6 * 3_600_000 }

/** A step that a person's own changes overtake this many times in a row counts as failed. */
export const overtakenAtMost = 5

/** When a step that has failed `attempts` times in a row is retried: epoch milliseconds. */
export const nextAttemptAt = (attempts: number, now: number, random: number): number =>
  now + backoff(attempts, random, bounds)
