import { Schema } from "effect"

/**
 * Why nothing is asked of a provider: `rate_limited` (`Retry-After`) and `quota_exceeded` say what it asked for, `budget_spent` that the
 * application's own budget of requests keeps this one back.
 */
export const PauseReason = Schema.Literals(["rate_limited", "quota_exceeded", "budget_spent"])
export type PauseReason = typeof PauseReason.Type

/** Longest pause that a provider gets by `Retry-After`, in milliseconds: a day, unless an object is told otherwise (`PAUSE_LIMIT`). */
export const longestPauseMs = 24 * 3_600_000

/** Until when nothing is asked (epoch milliseconds), and why. */
export interface Pause {
  readonly reason: PauseReason
  readonly retryAt: number
}

/** How much longer than asked a pause of the rate limit takes at most, as a part of it. */
const spreadFraction = 0.1

/**
 * When a pause that a provider asked for ends here: never sooner, and a little later, by `random` in [0, 1). All whose application the
 * provider has refused would otherwise come back in the same moment, and a daily quota begins anew for everybody at midnight.
 * A quota's end is spread over `longestMs`, a rate limit's over a tenth of the pause and no more than that. Epoch milliseconds.
 */
export const spreadPause = (
  { reason, retryAt }: Pause,
  { now, random, longestMs }: { readonly now: number; readonly random: number; readonly longestMs: number },
): number => {
  const spread = reason === "quota_exceeded" ? longestMs : Math.min(longestMs, (retryAt - now) * spreadFraction)
  return retryAt <= now ? retryAt : retryAt + Math.floor(random * spread)
}

/**
 * The end of a pause that a provider asked for: epoch milliseconds. One that is longer than the limit is cut, since a `Retry-After` of
 * years is a mistake of somebody's. A used-up quota tells its own end, which is the next day's beginning.
 */
export const boundPause = ({ reason, retryAt }: Pause, now: number, limitMs: number) => {
  const isBounded = reason === "rate_limited" && retryAt > now + limitMs
  return { until: isBounded ? now + limitMs : retryAt, isBounded }
}
