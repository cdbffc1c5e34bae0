import { Clock, Effect, Schedule } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { countRows } from "../demo/feed.ts"
import { paceOf } from "./settings.ts"
import { Workers } from "./Workers.ts"

const lookEvery = "500 millis"
/**
 * Seconds without a new row after which the feeds count as they are, and the verdict says what is missing: longer than any poll is
 * away, one that has to be made again included.
 */
const stalledAfter = (people: number): number => Math.max(100, 2 * paceOf(people).pollSeconds[1])

/** Shows how the feeds fill from `from` rows on, until they have the rows that they should have. */
export const waitForFeeds = Effect.fnUntraced(function* (name: string, from: number, expected: number, people: number) {
  const display = yield* Display
  const { query } = yield* Workers
  const last = { rows: -1, at: 0 }
  const look = Effect.gen(function* () {
    const rows = yield* countRows(query)
    const at = yield* Clock.currentTimeMillis
    yield* display.progress({ name, done: Math.min(rows, expected) - from, total: expected - from, note: "rows" })
    if (rows !== last.rows) Object.assign(last, { rows, at })
    return rows >= expected || at - last.at > stalledAfter(people) * 1000
  })
  yield* Effect.repeat(look, { until: (isOver) => isOver, schedule: Schedule.spaced(lookEvery) })
})
