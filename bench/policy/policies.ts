import { pollInterval } from "../../src/domain/interval.ts"
import { fairPrice, nextLook } from "../../src/domain/schedule/nextLook.ts"
import { rhythmOf } from "../../src/domain/schedule/rhythm.ts"
import { countedDays, countedFrom, end, type Trace } from "./traces.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** What a policy knows at a look. */
interface Seen {
  readonly trace: Trace
  readonly now: number
  /** What has been published until now, oldest first. */
  readonly published: ReadonlyArray<number>
}

/** When to look next, in epoch milliseconds. `scale` is what is tuned until all policies ask as often: the larger, the rarer. */
export type Policy = (seen: Seen, scale: number) => number

const bounds = { minimumMs: 15 * minute, maximumMs: day }

/** Every source after the same time. */
const equal: Policy = ({ now }, scale) => now + 8 * hour * scale

/**
 * Tiers of activity: a source is asked by how long ago it last published. After zine, as far as its public description goes; the times
 * are ours: 1, 4, 12 and 24 times the shortest.
 */
const tiers: Policy = ({ now, published }, scale) => {
  const silentDays = (now - (published.at(-1) ?? 0)) / day
  const factor = silentDays < 3 ? 1 : silentDays < 14 ? 4 : silentDays < 60 ? 12 : 24
  return now + Math.max(5 * minute, hour * factor * scale)
}

/**
 * miniflux's `entry_frequency` (https://github.com/miniflux/v2, `Feed.ScheduleNextCheck`): a week divided by the items of the last week,
 * not less than 5 minutes and not more than 24 hours; a source without any waits for the longest.
 */
const miniflux: Policy = ({ now, published }, scale) => {
  const lastWeek = published.filter((at) => at > now - 7 * day).length
  const interval = lastWeek === 0 ? day : (7 * day) / lastWeek
  return now + Math.min(day * Math.max(1, scale), Math.max(5 * minute, interval * scale))
}

/** pollen's rule before: a quarter of the usual gap. */
const quarterOfGap: Policy = ({ now, published }, scale) => now + pollInterval(published, now, bounds) * scale

/** As many looks a day for every source, at the times at which something is likely. */
const predicted: Policy = ({ now, published }, scale) => {
  const rhythm = rhythmOf(published, now)
  return nextLook(rhythm, now, { price: fairPrice(rhythm, 3) * scale, ...bounds })
}

const stepMs = 15 * minute

/** The best that as many looks can do for a source of which everything is known: at the density of √rate. */
const bound: Policy = ({ trace, now, published }, scale) => {
  const price = priceOfTrace(trace) * scale
  const newest = published.at(-1) ?? 0
  let sum = 0
  for (let at = now; at < now + 7 * day; at += stepMs) {
    sum += Math.sqrt(trace.rateAt(at + stepMs / 2, newest)) * (stepMs / hour)
    if (sum >= price) return at + stepMs
  }
  return now + 7 * day
}

const prices = new WeakMap<Trace, number>()
/** The price at which a source is looked at three times a day over the weeks that count. */
const priceOfTrace = (trace: Trace): number => {
  const known = prices.get(trace)
  if (known !== undefined) return known
  let sum = 0
  for (let at = countedFrom; at < end; at += stepMs) sum += Math.sqrt(trace.rateAt(at, 0)) * (stepMs / hour)
  const price = sum / (countedDays * 3)
  prices.set(trace, price)
  return price
}

export const policies = { equal, tiers, miniflux, quarterOfGap, predicted, bound } satisfies Readonly<
  Record<string, Policy>
>
export type PolicyName = keyof typeof policies
