import type { RateLimited } from "./error.ts"

/** How much longer than asked a pause of the rate limit takes at most, as a part of it. */
const spreadFraction = 0.1

/**
 * When a pause that a provider asked for ends here: never sooner, and a little later, by `random` in [0, 1). All whose application the
 * provider has refused would otherwise come back in the same moment, and a daily quota begins anew for everybody at midnight.
 * A quota's end is spread over `longestMs`, a rate limit's over a tenth of the pause and no more than that. Epoch milliseconds.
 */
export const spreadPause = (
  { reason, retryAt }: Pick<RateLimited, "reason" | "retryAt">,
  { now, random, longestMs }: { readonly now: number; readonly random: number; readonly longestMs: number },
): number => {
  const spread = reason === "quota_exceeded" ? longestMs : Math.min(longestMs, (retryAt - now) * spreadFraction)
  return retryAt <= now ? retryAt : retryAt + Math.floor(random * spread)
}
