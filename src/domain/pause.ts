/** What a provider asked for, and why. */
interface Pause {
  readonly reason: "rate_limited" | "quota_exceeded"
  /** Epoch milliseconds. */
  readonly retryAt: number
}

/**
 * The end of a pause that a provider asked for: epoch milliseconds. One that is longer than the limit is cut, since a `Retry-After` of
 * years is a mistake of somebody's. A used-up quota tells its own end, which is the next day's beginning.
 */
export const boundPause = ({ reason, retryAt }: Pause, now: number, limitMs: number) => {
  const isBounded = reason === "rate_limited" && retryAt > now + limitMs
  return { until: isBounded ? now + limitMs : retryAt, isBounded }
}
