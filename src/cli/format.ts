const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Milliseconds in words short enough for a table: `12 s`, `3 min 20 s`, `2 h 5 min`. */
export const formatDuration = (ms: number): string => {
  if (ms < second) return `${Math.round(ms)} ms`
  const rounded = Math.round(ms / second) * second
  if (rounded < minute) return `${rounded / second} s`
  const [large, small, one, other] =
    rounded < hour
      ? ([minute, second, "min", "s"] as const)
      : rounded < day
        ? ([hour, minute, "h", "min"] as const)
        : ([day, hour, "d", "h"] as const)
  const rest = Math.floor((rounded % large) / small)
  return `${Math.floor(rounded / large)} ${one}${rest === 0 ? "" : ` ${rest} ${other}`}`
}

/** Epoch milliseconds as ISO 8601 in UTC, to the second; a dash for never. */
export const formatTime = (at: number | null): string =>
  at === null ? "–" : new Date(at).toISOString().replace(/\.\d+Z$/, "Z")

/** A number with commas between thousands. */
export const formatCount = (count: number): string => count.toLocaleString("en-US")

/** `1 row`, `2 rows`. */
export const plural = (count: number, noun: string): string => `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`

/** `1 person`, `2 people`. */
export const people = (count: number): string => `${formatCount(count)} ${count === 1 ? "person" : "people"}`
