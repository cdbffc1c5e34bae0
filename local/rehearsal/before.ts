import { Effect } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { expectedRows } from "../demo/verdict.ts"
import { waitForFeeds } from "./feeds.ts"
import { countTokenQueries, cronRound, medianOf } from "./measure.ts"
import type { Person } from "./people.ts"
import { backfillItems } from "./settings.ts"

/** Runs of cron over everybody whose times are compared; their median counts. */
const timedRuns = 3

/**
 * Measures the legacy poller: it fills everybody's feed, and then runs with nothing new, as it does every half hour.
 * Nothing is published while it is timed, and no answer fails, so that its time is the shortest it can have.
 */
export const measureBefore = Effect.fn("measureBefore")(function* (people: ReadonlyArray<Person>) {
  const display = yield* Display
  const name = "legacy poller"
  const total = 1 + timedRuns
  yield* display.progress({ name, done: 0, total, note: "runs; the first one fills everybody's feed" })
  yield* cronRound
  yield* waitForFeeds("feeds, by legacy poller", 0, expectedRows(people, [], backfillItems), people.length)
  const counted = yield* countTokenQueries(people)
  yield* display.progress({ name, done: 2, total, note: "runs" })
  const times = [counted.cronMs]
  for (let run = 1; run < timedRuns; run += 1) {
    times.push(yield* cronRound)
    yield* display.progress({ name, done: 2 + run, total, note: "runs" })
  }
  const cronMs = medianOf(times)
  yield* display.line(
    `legacy poller: ${cronMs} ms a run over everybody; with some reads of access tokens, ${counted.tokenQueries} token queries to D1`,
  )
  return { cronMs, tokenQueries: counted.tokenQueries }
})
