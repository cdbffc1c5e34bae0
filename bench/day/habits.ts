// How sources publish: each class draws times from a seed, so that two runs see the same.

const hour = 3_600_000
const day = 24 * hour

/** A source of pseudo-random numbers in [0, 1) (mulberry32, public domain: https://github.com/bryc/code). */
export type Draw = () => number

export const drawFrom = (seed: number): Draw => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Draws times of publication from one moment to another, in epoch milliseconds, in order. */
type Habit = (draw: Draw, from: number, to: number) => ReadonlyArray<number>

/** On some days of the week, at an hour that the source keeps, half an hour early or late. */
const on =
  (isDay: (weekday: number) => boolean): Habit =>
  (draw, from, to) => {
    const at = Math.floor(draw() * 24)
    const shift = Math.floor(draw() * 7)
    const times: Array<number> = []
    for (let midnight = from - (from % day); midnight < to; midnight += day) {
      const weekday = (new Date(midnight).getUTCDay() + shift) % 7
      const time = midnight + at * hour + (draw() - 0.5) * hour
      if (isDay(weekday) && time >= from && time < to) times.push(Math.round(time))
    }
    return times
  }

/** At any time, so often a day. */
const poisson =
  (perDay: number): Habit =>
  (draw, from, to) => {
    const times: Array<number> = []
    for (let time = from; ; ) {
      time += (-Math.log(1 - draw()) / perDay) * day
      if (time >= to) return times
      times.push(Math.round(time))
    }
  }

/** Four within hours, every ten days or so. */
const bursts: Habit = (draw, from, to) =>
  poisson(0.1)(draw, from, to)
    .flatMap((start) => [0, 1, 2, 3].map((index) => start + index * 2 * hour))
    .filter((time) => time < to)

/** Ever less often: the last of 30 has been silent for weeks. */
const dying: Habit = (draw, from, to) => {
  const times: Array<number> = []
  let gap = day
  for (let time = from + draw() * day; time < to; time += gap) {
    times.push(Math.round(time))
    gap *= 1.25
  }
  return times
}

export const habits = {
  weekly: on((weekday) => weekday === 0),
  daily: on(() => true),
  weekdays: on((weekday) => weekday < 5),
  poisson: poisson(3 / 7),
  bursts,
  dying,
} satisfies Readonly<Record<string, Habit>>

export type HabitName = keyof typeof habits

/** The habits of 20 sources of one provider. */
export const mixed: ReadonlyArray<HabitName> = [
  ...Array<HabitName>(8).fill("weekly"),
  ...Array<HabitName>(3).fill("daily"),
  ...Array<HabitName>(3).fill("weekdays"),
  ...Array<HabitName>(2).fill("poisson"),
  ...Array<HabitName>(2).fill("bursts"),
  ...Array<HabitName>(2).fill("dying"),
]
