import { type Draw, drawFrom } from "../day/habits.ts"

const hour = 3_600_000
const day = 24 * hour

/** A source: what it publishes, and how likely that was at each moment to somebody who knows the source. Times are epoch milliseconds. */
export interface Trace {
  readonly name: string
  readonly published: ReadonlyArray<number>
  /** Items an hour expected at a moment by somebody who knows the source, and has seen all that it published until the last look. */
  readonly rateAt: (at: number, seen: Seen) => number
}

/** What has been seen of a source: epoch milliseconds. */
interface Seen {
  readonly newest: number
  readonly lookedAt: number
}

/** When traces begin, and the weeks of them that count: what came before is the past that a policy learns from. */
const begin = Date.UTC(2026, 7, 31)
const pastDays = 84
export const countedDays = 56
export const countedFrom = begin + pastDays * day
export const end = countedFrom + countedDays * day

const normal = (draw: Draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())

/** The part of a normal distribution below so many standard deviations (Abramowitz and Stegun 26.2.17, to 7 decimals). */
const normalBelow = (deviations: number): number => {
  const t = 1 / (1 + 0.2316419 * Math.abs(deviations))
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const above = (Math.exp((-deviations * deviations) / 2) / Math.sqrt(2 * Math.PI)) * series
  return deviations < 0 ? above : 1 - above
}

/** The part of what is meant that appears. */
const appears = 0.95

/** At an hour of local time, give or take; half of the sources move their clocks by an hour on 25 October. */
const atHour = (name: string, isDay: (weekday: number) => boolean, draw: Draw): Trace => {
  const at = draw() * 24 * hour
  const shift = Math.floor(draw() * 7)
  const spread = (0.2 + draw() * 0.6) * hour
  const clocks = draw() < 0.5 ? hour : 0
  const moved = Date.UTC(2026, 9, 25)
  const meant: Array<number> = []
  for (let midnight = begin; midnight < end; midnight += day) {
    const weekday = (new Date(midnight).getUTCDay() + shift) % 7
    if (isDay(weekday)) meant.push(midnight + at + (midnight >= moved ? clocks : 0))
  }
  const published = meant.filter(() => draw() < appears).map((time) => Math.round(time + normal(draw) * spread))
  // What is meant appears once: after it was found, or the later it gets, no more of it is expected.
  const rateAt = (time: number, { newest, lookedAt }: Seen) => {
    const index = Math.round((time - at - begin) / day)
    return [index - 1, index, index + 1].reduce((sum, day) => {
      const one = meantOn.get(day)
      if (one === undefined || newest > one - 6 * spread) return sum
      const distance = (time - one) / spread
      const density = Math.exp((-distance * distance) / 2) / (spread * Math.sqrt(2 * Math.PI))
      const before = appears * normalBelow((lookedAt - one) / spread)
      return sum + (appears * density * hour) / (1 - before)
    }, 0)
  }
  const meantOn = new Map(meant.map((one) => [Math.floor((one - begin) / day), one]))
  return { name, published: published.toSorted((one, other) => one - other), rateAt }
}

/** By chance, at a rate of items an hour that may change. */
const byChance = (name: string, rateAt: (at: number) => number, most: number, draw: Draw): Trace => {
  const published: Array<number> = []
  for (let time = begin; time < end; ) {
    time += (-Math.log(1 - draw()) / most) * hour
    if (time < end && draw() < rateAt(time) / most) published.push(Math.round(time))
  }
  return { name, published, rateAt }
}

/** Four in a row, two hours apart or so, every ten days or so. */
const inBursts = (name: string, draw: Draw): Trace => {
  const base = 0.1 / 24
  const starts = byChance("", () => base, base, draw).published
  const followers = starts.flatMap((start) =>
    [1, 2, 3].map((index) => ({
      start,
      from: start + index * 2 * hour * 0.7,
      to: start + index * 2 * hour * 1.3,
      at: Math.round(start + index * 2 * hour * (0.7 + draw() * 0.6)),
    })),
  )
  const published = [...starts, ...followers.map(({ at }) => at)].filter((time) => time < end)
  // Once the first is found, the others are due, each somewhere in a time of its own until it is found.
  const rateAt = (time: number, { newest, lookedAt }: Seen) =>
    followers.reduce(
      (sum, { start, from, to, at }) =>
        start <= lookedAt && at > lookedAt && newest >= start && time >= from && time < to
          ? sum + hour / (to - Math.max(from, Math.min(lookedAt, to - 1)))
          : sum,
      base,
    )
  return { name, published: published.toSorted((one, other) => one - other), rateAt }
}

const makers: Readonly<Record<string, (draw: Draw) => Trace>> = {
  weekly: (draw) => atHour("weekly", (weekday) => weekday === 0, draw),
  daily: (draw) => atHour("daily", () => true, draw),
  weekdays: (draw) => atHour("weekdays", (weekday) => weekday < 5, draw),
  bursts: (draw) => inBursts("bursts", draw),
  dying: (draw) => {
    const rate = (at: number) => (1 / 24) * Math.exp(-(at - begin) / (35 * day))
    return byChance("dying", rate, 1 / 24, draw)
  },
  newborn: (draw) => {
    const trace = atHour("newborn", () => true, draw)
    const from = countedFrom - 3 * day
    return { ...trace, published: trace.published.filter((at) => at >= from) }
  },
  poisson: (draw) => {
    const perHour = (0.5 + draw() * 6) / 168
    return byChance("poisson", () => perHour, perHour, draw)
  },
}

/** So many sources of each class. */
export const makeTraces = (seed: number, ofEach: number): ReadonlyArray<Trace> =>
  Object.values(makers).flatMap((make, kind) =>
    Array.from({ length: ofEach }, (_, index) => make(drawFrom(seed * 100_003 + kind * 1009 + index))),
  )

/** A source of somebody's own: a line for each publication, in epoch milliseconds or ISO 8601, oldest or newest first. */
export const traceOf = (text: string): Trace => {
  const times = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => (/^\d+$/.test(line) ? Number(line) : Date.parse(line)))
  const wrong = times.findIndex((time) => Number.isNaN(time))
  if (wrong >= 0) throw new Error(`line ${wrong + 1} is no time: epoch milliseconds or ISO 8601 are expected`)
  // Moved to the weeks that are replayed, whole weeks at a time.
  const newest = Math.max(...times)
  const shift = Math.floor((end - newest) / (7 * day)) * 7 * day
  const published = times
    .map((time) => time + shift)
    .filter((time) => time >= begin)
    .toSorted((one, other) => one - other)
  const perHour = published.length / ((end - begin) / hour)
  return { name: "given", published, rateAt: () => perHour }
}
