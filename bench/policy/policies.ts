import { pollInterval } from "../../src/domain/interval.ts"
import { fairPrice, nextLook } from "../../src/domain/schedule/nextLook.ts"
import { type Rhythm, rhythmOf } from "../../src/domain/schedule/rhythm.ts"
import type { Trace } from "./traces.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const week = 7 * day

/** What a policy knows at a look. */
interface Known {
  readonly trace: Trace
  readonly now: number
  /** What has been published until now, oldest first. */
  readonly published: ReadonlyArray<number>
}

/** When to look next, in epoch milliseconds. `scale` is what is tuned until all policies ask as often: the larger, the rarer. */
export type Policy = (known: Known, scale: number) => number

const bounds = { minimumMs: 15 * minute, maximumMs: day }

/** Every source after the same time: half an hour, scaled. */
const equal: Policy = ({ now }, scale) => now + 16 * (hour / 2) * scale

/**
 * zine's tiers (https://github.com/ejohane/zine, `apps/worker/src/polling/adaptive.ts`): an hour for a source with seven items in the last
 * seven days, four hours with one, twelve with one in the last thirty days, a day for every other. zine moves a source to another tier
 * with some hysteresis, which is left out.
 */
const tiers: Policy = ({ now, published }, scale) => {
  const within = (ms: number) => published.filter((at) => at > now - ms).length
  const hours = within(week) >= 7 ? 1 : within(week) >= 1 ? 4 : within(30 * day) >= 1 ? 12 : 24
  return now + Math.max(5 * minute, hours * hour * scale)
}

/**
 * miniflux's `entry_frequency` (https://github.com/miniflux/v2, `Feed.ScheduleNextCheck` and `WeeklyFeedEntryCount`): a week divided by as
 * many items as the mean gap between those of the last week makes a week, times a factor; not less than 5 minutes and not more than 24
 * hours, which it is for a source with fewer than two. The factor is a whole number there, and any here.
 */
const miniflux: Policy = ({ now, published }, scale) => {
  const lastWeek = published.filter((at) => at >= now - week)
  const [oldest, newest] = [lastWeek[0] ?? 0, lastWeek.at(-1) ?? 0]
  if (lastWeek.length < 2 || newest === oldest) return now + day
  const perWeek = Math.ceil(week / ((newest - oldest) / (lastWeek.length - 1)))
  return now + Math.min(day, Math.max(5 * minute, (week / perWeek) * scale))
}

/** pollen's rule before: a quarter of the usual gap. */
const quarterOfGap: Policy = ({ now, published }, scale) => now + pollInterval(published, now, bounds) * scale

/** What has been learned of each source, and when: anew once it has published, and daily. */
const learned = new WeakMap<Trace, Map<string, Rhythm>>()

const rhythmAt = ({ trace, now, published }: Known): Rhythm => {
  const ofTrace = learned.get(trace) ?? new Map<string, Rhythm>()
  learned.set(trace, ofTrace)
  const when = `${published.length} ${Math.floor(now / day)}`
  const rhythm = ofTrace.get(when) ?? rhythmOf(published, now)
  ofTrace.set(when, rhythm)
  return rhythm
}

/** pollen's: when what is expected to be there is expected to have waited for long enough. */
const predicted: Policy = (known, scale) => {
  const rhythm = rhythmAt(known)
  return nextLook(rhythm, known.now, { price: fairPrice(rhythm, 3) * scale ** 2, ...bounds })
}

const stepMs = 5 * minute
const longest = week

/** The first moment at which a sum over the time since the last look, of a function of the true rate, reaches a price. */
const whenWorthIt = ({ trace, now, published }: Known, add: (hours: number, rate: number) => boolean): number => {
  const seen = { newest: published.at(-1) ?? 0, lookedAt: now }
  for (let at = now; at < now + longest; at += stepMs) {
    if (add(stepMs / hour, trace.rateAt(at + stepMs / 2, seen))) return at + stepMs
  }
  return now + longest
}

/** Looks at a density of √rate, the true rate known: the optimum where the rate changes little from one look to the next. */
const density: Policy = (known, scale) => {
  let sum = 0
  return whenWorthIt(known, (hours, rate) => {
    sum += Math.sqrt(rate) * hours
    return sum >= scale
  })
}

/**
 * Looks when what is there has waited for long enough, the true rate known. For a source that keeps an hour this is 2 to 8 % above the
 * optimum that dynamic programming finds, where a density of √rate is up to 2.7 times above it: a bound that nobody can be expected to pass
 * without knowing more.
 */
const bound: Policy = (known, scale) => {
  let expected = 0
  let waited = 0
  return whenWorthIt(known, (hours, rate) => {
    waited += expected * hours + (rate * hours * hours) / 2
    expected += rate * hours
    return waited >= scale ** 2
  })
}

export const policies = { equal, tiers, miniflux, quarterOfGap, predicted, density, bound } satisfies Readonly<
  Record<string, Policy>
>
export type PolicyName = keyof typeof policies
