import { backoff } from "../../domain/backoff.ts"

/** First and longest wait before a failed step is tried again: most failures are an object or a provider that is away for a moment. */
const bounds = { firstMs: 10_000, longestMs: 6 * 3_600_000 }

/** How often in a row a person's own changes may overtake their step before it counts as failed. */
export const overtakenAtMost = 5

/** When a step is tried again that has failed `attempts` times in a row: epoch milliseconds. */
export const nextAttemptAt = (attempts: number, now: number, random: number): number =>
  now + backoff(attempts, random, bounds)
