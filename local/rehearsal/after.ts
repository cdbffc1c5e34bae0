import { Effect, Ref, Schema } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { readFeeds } from "../demo/feed.ts"
import { expectedRows, judge } from "../demo/verdict.ts"
import { runtimeMemory } from "../stack/runtime.ts"
import { armFaults } from "./faults.ts"
import { waitForFeeds } from "./feeds.ts"
import { judgeGrants } from "./grants.ts"
import type { Events } from "./life.ts"
import { countTokenQueries, cronRound, makeOverdue, medianOf } from "./measure.ts"
import type { Person } from "./people.ts"
import { backfillItems } from "./settings.ts"
import { Workers } from "./Workers.ts"

/** Runs of cron whose times are compared; their median counts. */
const timedRuns = 5

const decodeMoved = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ moved: Schema.Int, rolledBack: Schema.Int })]),
)

const moved = `SELECT count(*) AS moved, coalesce(sum(EXISTS (SELECT 1 FROM token_migration_history history
    WHERE history.user_id = status.user_id AND history.outcome = 'rolled_back')), 0) AS rolledBack
  FROM token_migration_status status WHERE stage = 'complete' AND verified_at IS NOT NULL`

/** Measures cron over the same people, of whom one in a hundred is overdue. */
const measureCron = Effect.fnUntraced(function* (people: ReadonlyArray<Person>) {
  yield* makeOverdue(people)
  const counted = yield* countTokenQueries(people)
  const times = [counted.cronMs]
  for (let run = 1; run < timedRuns; run += 1) {
    yield* makeOverdue(people)
    times.push(yield* cronRound)
  }
  return { cronMs: medianOf(times), tokenQueries: counted.tokenQueries }
})

/** Waits for items on their way, once nothing is published any more, measures again, and judges from outside. */
export const measureAfter = Effect.fn("measureAfter")(function* (people: ReadonlyArray<Person>, events: Events) {
  const display = yield* Display
  const { query } = yield* Workers
  yield* armFaults(0)
  const published = yield* Ref.get(events.published)
  const backfill = expectedRows(people, [], backfillItems)
  yield* waitForFeeds(
    "what was published, in feeds",
    backfill,
    expectedRows(people, published, backfillItems),
    people.length,
  )
  const { cronMs, tokenQueries } = yield* measureCron(people)
  yield* display.line("Comparing every grant that pollen holds with what its provider would take.")
  const grants = yield* judgeGrants(people)
  const feeds = judge(people, published, backfillItems, yield* readFeeds(query))
  const [counted] = yield* Effect.orDie(decodeMoved(yield* query(moved)))
  const { mostSubrequests } = yield* (yield* Workers).observe("statements", null)
  const memoryMb = yield* Effect.promise(runtimeMemory)
  return { cronMs, tokenQueries, published: published.length, feeds, grants, mostSubrequests, memoryMb, ...counted }
})
