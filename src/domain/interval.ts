/** Bounds of polling intervals, in milliseconds. */
export interface IntervalBounds {
  readonly minimumMs: number
  readonly maximumMs: number
}

/**
 * Checks between two publications. An interval equal to the publishing interval would always be one interval late, so a source is
 * checked a few times faster than it publishes.
 */
const checksPerPublication = 4

/** Jitter to each side, as a part of the interval: a million objects must not fire together. */
export const jitterFraction = 0.1

/** Number of the newest publications that decide. */
export const publicationsConsidered = 20

const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

/**
 * Tells how long to wait between two checks of a source, in milliseconds, before jitter.
 *
 * Follows the median gap between the newest publications, so that one burst or one long silence does not decide. A source that has
 * been silent for longer than its usual gap is checked less and less often, since the silence counts as a gap. A source with fewer
 * than two known publications is checked as rarely as allowed.
 *
 * @param publishedAt epoch milliseconds, in any order; only the newest {@link publicationsConsidered} count
 * @param now epoch milliseconds
 */
export const pollInterval = (publishedAt: ReadonlyArray<number>, now: number, bounds: IntervalBounds): number => {
  const newestFirst = [...publishedAt].sort((a, b) => b - a).slice(0, publicationsConsidered)
  const newest = newestFirst[0]
  if (newest === undefined || newestFirst.length < 2) return bounds.maximumMs
  const gaps = newestFirst.slice(1).map((older, index) => (newestFirst[index] ?? older) - older)
  const expected = Math.max(median(gaps), now - newest)
  return Math.round(Math.min(bounds.maximumMs, Math.max(bounds.minimumMs, expected / checksPerPublication)))
}

/**
 * Spreads an interval by {@link jitterFraction} to each side, as far as the bounds allow. At a bound it spreads to the other side
 * alone, so that the many who wait as long as allowed are spread as well. `random` is in [0, 1).
 */
export const withJitter = (intervalMs: number, random: number, { minimumMs, maximumMs }: IntervalBounds): number => {
  const wanted = Math.min(maximumMs, Math.max(minimumMs, intervalMs))
  const shortest = Math.max(minimumMs, wanted * (1 - jitterFraction))
  const longest = Math.min(maximumMs, wanted * (1 + jitterFraction))
  return Math.round(shortest + random * (longest - shortest))
}
