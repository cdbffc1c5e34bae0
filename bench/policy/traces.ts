import { type Draw, drawFrom } from "../day/habits.ts"

const hour = 3_600_000
const day = 24 * hour

/** A source: what it publishes, and how likely that was at each moment to somebody who knows the source. Times are epoch milliseconds. */
export interface Trace {
  readonly name: string
  readonly published: ReadonlyArray<number>
  /** Items an hour expected at a moment by somebody who knows the source and the newest item found. */
  readonly rateAt: (at: number, newest: number) => number
}

/** When traces begin, and the weeks of them that count: what came before is the past that a policy learns from. */
const begin = Date.UTC(2026, 7, 31)
const pastDays = 84
export const countedDays = 56
export const countedFrom = begin + pastDays * day
export const end = countedFrom + countedDays * day

const normal = (draw: Draw) => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw())

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
  // One in twenty does not appear.
  const published = meant.filter(() => draw() > 0.05).map((time) => Math.round(time + normal(draw) * spread))
  const rateAt = (time: number) =>
    meant.reduce((sum, one) => {
      const distance = (time - one) / spread
      return Math.abs(distance) > 5
        ? sum
        : sum + (0.95 * Math.exp((-distance * distance) / 2) * hour) / (spread * Math.sqrt(2 * Math.PI))
    }, 0.0001)
  return { name, published: published.toSorted((one, other) => one - other), rateAt }
}

/** By chance, at a rate of items an hour that may change. */
const byChance = (name: string, rateAt: (at: number) => number, most: number, draw: Draw, from = begin): Trace => {
  const published: Array<number> = []
  for (let time = from; time < end; ) {
    time += (-Math.log(1 - draw()) / most) * hour
    if (time < end && draw() < rateAt(time) / most) published.push(Math.round(time))
  }
  return { name, published, rateAt: (at) => (at < from ? 0 : rateAt(at)) }
}

/** Four in a row, two hours apart or so, every ten days or so. */
const inBursts = (name: string, draw: Draw): Trace => {
  const base = 0.1 / 24
  const starts = byChance("", () => base, base, draw).published
  const published = starts
    .flatMap((start) => [0, 1, 2, 3].map((index) => Math.round(start + index * 2 * hour * (0.7 + draw() * 0.6))))
    .filter((time) => time < end)
    .toSorted((one, other) => one - other)
  const last = new Set(starts.map((start) => published.filter((at) => at >= start && at <= start + 9 * hour).at(-1)))
  const rateAt = (at: number, newest: number) => {
    // After the fourth no more comes. Each of the others is followed by one within 1.4 to 2.6 hours.
    const isFollowed = !last.has(newest) && at > newest + 1.2 * hour && at < newest + 3.2 * hour
    return base + (isFollowed ? 1 / 2 : 0)
  }
  return { name, published, rateAt }
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
    return {
      ...trace,
      published: trace.published.filter((at) => at >= from),
      rateAt: (at, newest) => (at < from ? 0 : trace.rateAt(at, newest)),
    }
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
