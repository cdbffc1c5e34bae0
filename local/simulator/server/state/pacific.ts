const wallClock = new Intl.DateTimeFormat("en-US", {
  timeZone: "America/Los_Angeles",
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "numeric",
  minute: "numeric",
  second: "numeric",
})

/** The Pacific wall clock at an instant, written as if it were UTC. Both epoch milliseconds. */
const pacificWallClock = (at: number): number => {
  const parts: Record<string, number> = {}
  for (const part of wallClock.formatToParts(at)) parts[part.type] = Number(part.value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

const dayMs = 86_400_000

/**
 * The first midnight in Pacific time after an instant, both epoch milliseconds. YouTube's quota starts anew then: at 8:00 UTC
 * in winter and 7:00 UTC in summer, so that two days a year have 23 and 25 hours.
 */
export const nextPacificMidnight = (at: number): number => {
  const second = Math.floor(at / 1000) * 1000
  const midnight = Math.floor(pacificWallClock(second) / dayMs) * dayMs + dayMs
  // The offset in force at the midnight, not now: a change of the clocks may lie between.
  const guess = midnight - (pacificWallClock(second) - second)
  return midnight - (pacificWallClock(guess) - guess)
}
