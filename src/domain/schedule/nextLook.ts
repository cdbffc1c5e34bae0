import type { IntervalBounds } from "../interval.ts"
import { type Rhythm, slotMs, slotOf } from "./rhythm.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Certainty of a rhythm from which on a source may be left alone for three days. */
const certainFrom = 0.8

/** The longest time between two looks where the rhythm is certain, in milliseconds. */
const longestMs = 3 * dayMs

/** Items an hour that are expected at a moment, seen from now. */
const rateAt = ({ perHour, burst, quiet }: Rhythm, at: number): number => {
  const usual = (perHour[slotOf(at)] ?? 0) * (quiet !== null && at < quiet.until ? quiet.part : 1)
  return usual + (burst !== null && at < burst.until ? burst.perHour : 0)
}

interface LookOptions extends IntervalBounds {
  /** The hours that items are expected to have waited, summed over items and followers, at which a look is worth its cost. */
  readonly price: number
  /** People who wait for an item; one where it is not said. */
  readonly followers?: number
}

/**
 * The moment of the next look at a source, in epoch milliseconds: when the items expected since the last look are expected to have waited,
 * all together, for as long as the price says. At a steady rate these are looks at a density of √(followers × rate), which find what is
 * new soonest; around the hour at which a source always appears, a look comes once most of what is likely is there, and not at a chance
 * distance from it. Not sooner than the shortest interval after the last look, and not later than the longest, or three days where the
 * rhythm is certain.
 */
export const nextLook = (rhythm: Rhythm, since: number, options: LookOptions): number => {
  const { price, followers = 1, minimumMs, maximumMs } = options
  const latestMs = rhythm.certainty >= certainFrom && maximumMs >= dayMs ? Math.max(maximumMs, longestMs) : maximumMs
  const latest = since + Math.max(minimumMs, latestMs)
  const enough = price / Math.max(1, followers)
  let expected = 0
  let waited = 0
  for (let at = since; at < latest; ) {
    const end = Math.min(latest, (Math.floor(at / slotMs) + 1) * slotMs)
    const rate = rateAt(rhythm, at)
    const hours = (end - at) / hourMs
    const then = waited + expected * hours + (rate * hours * hours) / 2
    if (then >= enough) {
      // The root of waited + expected × h + rate × h² / 2 = enough, in the form that is exact where the rate is near nothing.
      const left = Math.max(0, enough - waited)
      const root = Math.sqrt(expected * expected + 2 * rate * left)
      const within = left === 0 ? 0 : (2 * left) / (expected + root)
      return Math.round(Math.min(latest, Math.max(since + minimumMs, at + within * hourMs)))
    }
    waited = then
    expected += rate * hours
    at = end
  }
  return latest
}

/** A source, and how many wait for what it publishes. */
interface Followed {
  readonly rhythm: Rhythm
  readonly followers: number
}

const weekMs = 7 * dayMs

/** Looks at a source a day in a week at a price, bursts and quiet aside. */
const looksADayAt = ({ rhythm, followers }: Followed, price: number, bounds: IntervalBounds): number => {
  const steady = { ...rhythm, burst: null, quiet: null }
  let looks = 0
  let at = 0
  while (at < weekMs) {
    at = nextLook(steady, at, { price, followers, ...bounds })
    looks += 1
  }
  // The last interval reaches beyond the week.
  return (looks * dayMs) / at
}

/** Halvings of the range of prices: enough for a hundredth of it. */
const halvings = 24

/**
 * The price at which sources are looked at so often a day, all together: a budget is spent where it finds most. Where the bounds do not
 * allow as many, or as few, it is the lowest or the highest of prices.
 */
export const priceOf = (sources: ReadonlyArray<Followed>, looksADay: number, bounds: IntervalBounds): number => {
  let [low, high] = [1e-6, 1e6]
  for (let round = 0; round < halvings; round += 1) {
    const price = Math.sqrt(low * high)
    const looks = sources.reduce((sum, source) => sum + looksADayAt(source, price, bounds), 0)
    if (looks > looksADay) low = price
    else high = price
  }
  return Math.sqrt(low * high)
}

/** The price at which sources of the usual rate are looked at once a day, in the mean of mixed habits; it falls with the square of the looks. */
const usualPrice = 2.1

/** Items a week below which a source is dear to wait for, and the part of the price that is asked for at least. */
const usualPerWeek = 5
const leastPart = 0.3

/**
 * The price where no budget sets one: sources of mixed habits are looked at so often a day in their mean, those with more to find more
 * often. A source that publishes rarely has a lower price, so that it is not found later than by looks at equal intervals.
 */
export const fairPrice = ({ perHour }: Rhythm, looksADay: number): number => {
  const perWeek = perHour.reduce((sum, rate) => sum + (rate * slotMs) / hourMs, 0)
  const part = Math.min(1, Math.max(leastPart, Math.sqrt(perWeek / usualPerWeek)))
  return (usualPrice * part) / looksADay ** 2
}

/** The sum of √rate over the week: the more, the likelier it is that something new is there. */
export const demandOf = ({ perHour }: Rhythm): number =>
  perHour.reduce((sum, rate) => sum + Math.sqrt(rate) * (slotMs / hourMs), 0)

/** Looks a day at a library of the usual demand, which is that of 20 sources of mixed habits; and at least, and at most. */
const libraryLooks = { usual: 5, demand: 70, least: 3, most: 24 }

/** The price of a look at a library, which tells of all its sources: more often where there is more to find. */
export const libraryPrice = (rhythm: Rhythm, bounds: IntervalBounds): number => {
  const { usual, demand, least, most } = libraryLooks
  const own = demandOf(rhythm)
  const looksADay = Math.min(most, Math.max(least, usual * Math.sqrt(own / demand)))
  return priceOf([{ rhythm, followers: 1 }], looksADay, bounds)
}
