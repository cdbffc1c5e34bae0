import type { IntervalBounds } from "../interval.ts"
import { type Rhythm, slotMs, slotOf } from "./rhythm.ts"

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** Certainty of a rhythm from which on a source may be left alone for three days. */
const certainFrom = 0.8

/** The longest time between two looks where the rhythm is certain, in milliseconds. */
const longestMs = 3 * dayMs

/** How densely a source is looked at at a moment: looks at a density of √rate find what is new soonest. */
const densityAt = ({ perHour, burst }: Rhythm, at: number): number =>
  Math.sqrt((perHour[slotOf(at)] ?? 0) + (burst !== null && at < burst.until ? burst.perHour : 0))

/** The integral of √rate from one moment to another of the same week, bursts aside. */
export const integral = ({ perHour }: Rhythm, from: number, to: number): number => {
  let sum = 0
  for (let at = from; at < to; ) {
    const end = Math.min(to, (Math.floor(at / slotMs) + 1) * slotMs)
    sum += (Math.sqrt(perHour[slotOf(at)] ?? 0) * (end - at)) / hourMs
    at = end
  }
  return sum
}

/** The sum of √rate over the week, in looks at the price 1: small for a source that publishes rarely or at known times. */
export const demandOf = ({ perHour }: Rhythm): number =>
  perHour.reduce((sum, rate) => sum + Math.sqrt(rate) * (slotMs / hourMs), 0)

/** The price of a look at which a source is looked at so often a day, in the mean over a week, bursts aside. */
export const priceOf = (rhythm: Rhythm, looksADay: number): number => demandOf(rhythm) / (7 * looksADay)

/** The demand of a source of three items a week at any time. */
const usualDemand = 22

/**
 * The price at which a source of the usual demand is looked at so often a day, those with more a little more often, and those that keep
 * their times a little less often.
 */
export const fairPrice = (rhythm: Rhythm, looksADay: number): number => {
  const demand = demandOf(rhythm)
  const least = rhythm.certainty >= certainFrom ? 0.6 : 1
  const factor = Math.min(1.4, Math.max(least, (demand / usualDemand) ** 0.4))
  return demand / (7 * looksADay * factor)
}

/** Looks a day at a library of the usual demand, which is that of 20 sources of mixed habits; and at least, and at most. */
const libraryLooks = { usual: 5, demand: 70, least: 3, most: 24 }

/** The price of a look at a library, which tells of all its sources: more often where there is more to find. */
export const libraryPrice = (rhythm: Rhythm): number => {
  const { usual, demand, least, most } = libraryLooks
  const own = demandOf(rhythm)
  return priceOf(rhythm, Math.min(most, Math.max(least, usual * Math.sqrt(own / demand))))
}

interface LookOptions extends IntervalBounds {
  /** What the integral of √rate since the last look reaches at the next one. */
  readonly price: number
}

/**
 * The moment of the next look at a source, in epoch milliseconds: when the integral of √rate since the last one reaches the price. Not
 * sooner than the shortest interval after it, and not later than the longest, or three days where the rhythm is certain.
 */
export const nextLook = (rhythm: Rhythm, since: number, { price, minimumMs, maximumMs }: LookOptions): number => {
  const latestMs = rhythm.certainty >= certainFrom && maximumMs >= dayMs ? Math.max(maximumMs, longestMs) : maximumMs
  const latest = since + Math.max(minimumMs, latestMs)
  let left = price
  for (let at = since; at < latest; ) {
    const end = (Math.floor(at / slotMs) + 1) * slotMs
    const density = densityAt(rhythm, at)
    const within = (density * (end - at)) / hourMs
    if (within >= left) return Math.min(latest, Math.max(since + minimumMs, Math.round(at + (left / density) * hourMs)))
    left -= within
    at = end
  }
  return latest
}
