import { Schema } from "effect"

// How a source publishes, learned from what it has published: pure functions of times in epoch milliseconds.

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const weekMs = 7 * dayMs
/** The times of a week that are told apart, in milliseconds: half an hour. A week begins on Thursday in UTC, as the epoch did. */
export const slotMs = hourMs / 2
/** How many there are in a week, and in a day. */
const weekSlots = weekMs / slotMs
const daySlots = weekSlots / 7

/** Publications that decide: the newest. */
export const publicationsLearned = 40

/** Time in which what a source did counts a third, in milliseconds: eight weeks. */
const fadingMs = 8 * weekMs

/** Rate of a source of which nothing is known yet, in items a week. */
const unknownRate = 1

/** An item counts in its own slot, and in those around it: people are late, and clocks change by an hour twice a year. */
const kernel = [0.04, 0.06, 0.2, 0.4, 0.2, 0.06, 0.04] as const
const reach = (kernel.length - 1) / 2

/** An item this soon after another belongs to the same burst, in milliseconds. */
const burstMs = 8 * hourMs

/** The expected number of new items at each time of the week. */
export const Rhythm = Schema.Struct({
  /** Items an hour in each slot of the week. */
  perHour: Schema.Array(Schema.Number),
  /** The part of the items that come at times that are known, 0 to 1. */
  certainty: Schema.Number,
  /** Items an hour that are expected besides until a moment (epoch milliseconds), since another has just appeared. */
  burst: Schema.NullOr(Schema.Struct({ perHour: Schema.Number, until: Schema.Number })),
  /** The part of the rate that is left until a moment (epoch milliseconds), since no item has ever followed another so soon. */
  quiet: Schema.NullOr(Schema.Struct({ part: Schema.Number, until: Schema.Number })),
})
export type Rhythm = typeof Rhythm.Type

/** An item by its slot of the week, and how much it counts; of one without a time of day, the first slot of its day. */
interface Weighted {
  readonly slot: number
  readonly weight: number
  readonly isDay: boolean
}

export const slotOf = (at: number): number => Math.floor((((at % weekMs) + weekMs) % weekMs) / slotMs) % weekSlots

const histogram = (items: ReadonlyArray<Weighted>, slots: number): ReadonlyArray<number> => {
  const bins = Array.from({ length: slots }, () => 0)
  for (const { slot, weight, isDay } of items) {
    if (isDay) {
      for (let at = slot; at < slot + daySlots; at += 1) bins[at % slots] = (bins[at % slots] ?? 0) + weight / daySlots
      continue
    }
    for (const [index, share] of kernel.entries()) {
      const at = (slot + index - reach + slots) % slots
      bins[at] = (bins[at] ?? 0) + weight * share
    }
  }
  return bins
}

/** The least part of items that is expected at no known time: what is missed at its time is not to be missed for days. */
const leastOfNone = 0.05

/** Items at no known time that are assumed beside those that are known. */
const doubt = 0.3

/** How much of what a source does follows the week, the day, and nothing: the mixture under which each item is likeliest, seen from the others. */
const mixture = (items: ReadonlyArray<Weighted>, week: ReadonlyArray<number>, day: ReadonlyArray<number>) => {
  const total = items.reduce((sum, { weight }) => sum + weight, 0)
  const seen = items.map(({ slot, weight, isDay }) => {
    const others = Math.max(1e-9, total - weight)
    const own = weight * (isDay ? 1 / daySlots : kernel[3])
    const ofDay = week.slice(slot, slot + daySlots).reduce((sum, one) => sum + one, 0) / daySlots
    return {
      weight,
      week: Math.max(0, (isDay ? ofDay : (week[slot] ?? 0)) - own) / others,
      // A day says nothing of the hour.
      day: isDay ? 1 / weekSlots : Math.max(0, (day[slot % daySlots] ?? 0) - own) / others / 7,
      none: 1 / weekSlots,
    }
  })
  let [ofWeek, ofDay, ofNone] = [1 / 3, 1 / 3, 1 / 3]
  for (let round = 0; round < 12; round += 1) {
    let [sumWeek, sumDay, sumNone] = [0, 0, 0]
    for (const one of seen) {
      const [byWeek, byDay, byNone] = [ofWeek * one.week, ofDay * one.day, ofNone * one.none]
      const part = one.weight / Math.max(1e-12, byWeek + byDay + byNone)
      sumWeek += byWeek * part
      sumDay += byDay * part
      sumNone += byNone * part
    }
    // As if a part of an item more had come at no known time: a few items prove little.
    const all = sumWeek + sumDay + sumNone + doubt
    ofWeek = sumWeek / all
    ofDay = sumDay / all
    ofNone = (sumNone + doubt) / all
  }
  return { ofWeek, ofDay, ofNone }
}

/** Tells of a burst under way, where a source publishes in bursts: more items soon after another than its rate would bring. */
const burstAfter = (newestFirst: ReadonlyArray<number>, perMs: number): Rhythm["burst"] => {
  const [newest = 0] = newestFirst
  const gaps = newestFirst.slice(1).map((older, index) => (newestFirst[index] ?? older) - older)
  const soon = gaps.filter((gap) => gap <= burstMs).length / gaps.length
  const excess = soon - (1 - Math.exp(-perMs * burstMs))
  if (excess < 0.3) return null
  const usual = gaps.filter((gap) => gap <= burstMs).toSorted((one, other) => one - other)
  const until = newest + 1.5 * (usual[Math.floor(usual.length / 2)] ?? 0)
  return { perHour: (excess * hourMs) / Math.max(slotMs, until - newest), until }
}

/** The part of the gaps between items that may be shorter than what counts as the shortest, and the part of that which is quiet. */
const exceptions = 0.05
const quietPart = 0.8

/** Tells how long nothing more comes after the newest item, as far as the gaps between items have shown. */
const quietAfter = (newestFirst: ReadonlyArray<number>): Rhythm["quiet"] => {
  const [newest = 0] = newestFirst
  const gaps = newestFirst.slice(1).map((older, index) => (newestFirst[index] ?? older) - older)
  if (gaps.length < 3) return null
  const sorted = gaps.toSorted((one, other) => one - other)
  const shortest = sorted[Math.floor(gaps.length * exceptions)] ?? 0
  return { part: 1 / (gaps.length + 2), until: newest + quietPart * shortest }
}

/**
 * Learns how a source publishes from its newest items. A rate that fades, so that what was is forgotten; a source that is silent for
 * longer than it used to be is taken to be dying by and by.
 *
 * @param publishedAt epoch milliseconds, in any order; the beginning of a day in UTC stands for a day without a time; the newest {@link publicationsLearned} count, and none after `now`
 */
export const rhythmOf = (publishedAt: ReadonlyArray<number>, now: number): Rhythm => {
  const times = [...new Set(publishedAt)]
    .filter((at) => at <= now)
    .sort((one, other) => other - one)
    .slice(0, publicationsLearned)
  const [newest] = times
  const oldest = times.at(-1)
  const even = (perWeek: number): Rhythm => ({
    perHour: Array.from({ length: weekSlots }, () => (perWeek / weekMs) * hourMs),
    certainty: 0,
    burst: null,
    quiet: null,
  })
  if (newest === undefined || oldest === undefined || times.length < 3) return even(unknownRate)
  const items = times.map((at) => ({
    slot: slotOf(at),
    weight: Math.exp((at - now) / fadingMs),
    isDay: at % dayMs === 0,
  }))
  const total = items.reduce((sum, { weight }) => sum + weight, 0)
  const observedMs = fadingMs * (1 - Math.exp((oldest - now) / fadingMs))
  // The oldest item begins the time that is observed, and is not in it.
  const perMs = Math.max(0, total - (items.at(-1)?.weight ?? 0)) / Math.max(hourMs, observedMs)
  const silence = (now - newest) * ((times.length - 1) / Math.max(hourMs, newest - oldest))
  const perWeek = (perMs * weekMs) / (1 + Math.max(0, silence - 2) / 4)
  const week = histogram(items, weekSlots)
  const day = histogram(
    items.map((item) => ({ ...item, slot: item.isDay ? 0 : item.slot % daySlots })),
    daySlots,
  )
  const mixed = mixture(items, week, day)
  const ofNone = Math.max(leastOfNone, mixed.ofNone)
  // Of a source that has long been silent nothing is known at all, and nothing over nothing is no number.
  const known = mixed.ofNone < 1 ? (1 - ofNone) / (1 - mixed.ofNone) : 0
  const [ofWeek, ofDay] = [mixed.ofWeek * known, mixed.ofDay * known]
  const perHour = week.map((weight, slot) => {
    const ofDaily = (day[slot % daySlots] ?? 0) / 7
    const rate = ((perWeek * hourMs) / slotMs) * ((ofWeek * weight + ofDay * ofDaily) / total + ofNone / weekSlots)
    // Short when it is stored.
    return Number(rate.toPrecision(4))
  })
  return { perHour, certainty: 1 - mixed.ofNone, burst: burstAfter(times, perMs), quiet: quietAfter(times) }
}

/** What is expected of several sources together, all of which one look tells of. */
export const together = (rhythms: ReadonlyArray<Rhythm>): Rhythm => {
  const perHour = Array.from({ length: weekSlots }, () => 0)
  let known = 0
  for (const rhythm of rhythms) {
    const rate = rhythm.perHour.reduce((sum, one) => sum + one, 0)
    known += rate * rhythm.certainty
    for (const [slot, one] of rhythm.perHour.entries()) perHour[slot] = (perHour[slot] ?? 0) + one
  }
  const all = perHour.reduce((sum, one) => sum + one, 0)
  const bursts = rhythms.flatMap(({ burst }) => (burst === null ? [] : [burst]))
  const burst = bursts.toSorted((one, other) => other.until - one.until)[0] ?? null
  return {
    perHour: perHour.map((rate) => Number(rate.toPrecision(4))),
    certainty: all === 0 ? 0 : known / all,
    burst,
    // One that is quiet says nothing of the others.
    quiet: null,
  }
}

const rhythmJson = Schema.fromJsonString(Rhythm)
/** A rhythm as it is stored; one of an earlier version that cannot be read is none. */
export const decodeRhythm = Schema.decodeOption(rhythmJson)
export const encodeRhythm = Schema.encodeSync(rhythmJson)
