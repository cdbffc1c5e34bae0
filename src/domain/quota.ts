import { DateTime } from "effect"

/**
 * The next midnight in California, when YouTube's daily quota starts anew: epoch milliseconds.
 * Days there have 23 or 25 hours twice a year, so the calendar decides and not a duration.
 * Source: https://developers.google.com/youtube/v3/getting-started#quota
 */
export const nextPacificMidnight = (now: number): number =>
  DateTime.makeUnsafe(now).pipe(
    DateTime.setZoneNamedUnsafe("America/Los_Angeles"),
    DateTime.startOf("day"),
    DateTime.add({ days: 1 }),
    DateTime.toEpochMillis,
  )
