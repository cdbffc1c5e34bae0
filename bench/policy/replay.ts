import type { Policy } from "./policies.ts"
import { countedDays, countedFrom, end, type Trace } from "./traces.ts"

const hour = 3_600_000

/** What a policy came to for one source. */
export interface Replayed {
  readonly name: string
  readonly looks: number
  /** Hours from publication to the look that finds it, of each item. */
  readonly delays: ReadonlyArray<number>
}

/** Lets a policy look at a source through the weeks that count. */
const replayOne = (trace: Trace, policy: Policy, scale: number): Replayed => {
  const { published } = trace
  const delays: Array<number> = []
  let known = published.filter((at) => at < countedFrom).length
  let looks = 0
  let now = countedFrom
  while (now < end) {
    now = Math.max(now + 60_000, policy({ trace, now, published: published.slice(0, known) }, scale))
    looks += 1
    while (known < published.length && (published[known] ?? 0) <= now) {
      const at = published[known] ?? 0
      if (at < end) delays.push((now - at) / hour)
      known += 1
    }
  }
  return { name: trace.name, looks, delays }
}

const looksADay = (replayed: ReadonlyArray<Replayed>) =>
  replayed.reduce((sum, { looks }) => sum + looks, 0) / replayed.length / countedDays

/** Replays all sources, with the policy scaled until it looks so often a day in the mean of all sources. */
export const replay = (traces: ReadonlyArray<Trace>, policy: Policy, wanted: number): ReadonlyArray<Replayed> => {
  let [low, high] = [0.01, 30]
  let replayed: ReadonlyArray<Replayed> = []
  for (let round = 0; round < 14; round += 1) {
    const scale = Math.sqrt(low * high)
    replayed = traces.map((trace) => replayOne(trace, policy, scale))
    if (looksADay(replayed) > wanted) low = scale
    else high = scale
  }
  return replayed
}

export interface Summary {
  readonly looksADay: number
  readonly mean: number
  readonly median: number
  readonly p95: number
}

export const summarise = (replayed: ReadonlyArray<Replayed>): Summary => {
  const delays = replayed.flatMap(({ delays }) => delays).toSorted((one, other) => one - other)
  const at = (part: number) => delays[Math.floor((delays.length - 1) * part)] ?? 0
  return {
    looksADay: looksADay(replayed),
    mean: delays.reduce((sum, one) => sum + one, 0) / Math.max(1, delays.length),
    median: at(0.5),
    p95: at(0.95),
  }
}
