/** First and longest wait after failures, in milliseconds. */
export interface BackoffBounds {
  readonly firstMs: number
  readonly longestMs: number
}

/**
 * How long to wait after `failures` failures in a row (1 or more), in milliseconds: doubled each time, capped, and
 * spread over its upper half by `random` in [0, 1), so that those who failed together do not come back together.
 */
export const backoff = (failures: number, random: number, { firstMs, longestMs }: BackoffBounds): number => {
  const full = Math.min(longestMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return Math.round(full * (0.5 + random / 2))
}
