import { Effect, Schema } from "effect"
import { type Person, providers } from "./people.ts"
import { Workers } from "./Workers.ts"

/** People of whom an access token is asked for while token queries are counted. */
const sampled = 50
/** Of whom an object is overdue when the run of cron after the move is timed: one in so many. */
const overdueOneIn = 100

/** The time in the middle, to a tenth of a millisecond. */
export const medianOf = (times: ReadonlyArray<number>): number => {
  const sorted = times.toSorted((one, other) => one - other)
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10
}

const selectLast = `SELECT figures->>'found' AS found, figures->>'isComplete' AS isComplete FROM durable_object_metrics
  WHERE id IN (SELECT max(id) FROM durable_object_metrics WHERE kind IN ('cron_run', 'legacy_run') GROUP BY kind)`
const countHeld =
  "SELECT count(*) AS accounts FROM user_accounts WHERE holder = 'database' AND is_active AND state = 'connected'"

const decodeLast = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ found: Schema.Int, isComplete: Schema.BooleanFromBit })),
)
const decodeHeld = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ accounts: Schema.Int })]))

/** How often over runs that may ask only so much go, until each provider's accounts have had their turn. */
const roundsOfNarrowRuns = 2

/**
 * Runs cron until everybody has been looked after: once, where an invocation may ask for everything. Returns the time that once over
 * everybody took, in milliseconds.
 */
export const cronRound = Effect.gen(function* () {
  const { runCron, query } = yield* Workers
  let [ms, found] = [0, 0]
  while (true) {
    ms += yield* runCron
    const last = yield* Effect.orDie(decodeLast(yield* query(selectLast)))
    if (last.every(({ isComplete }) => isComplete)) return ms
    const [{ accounts }] = yield* Effect.orDie(decodeHeld(yield* query(countHeld)))
    found += last.reduce((sum, run) => sum + run.found, 0)
    if (found >= accounts * roundsOfNarrowRuns) return (ms * accounts) / found
  }
})

/**
 * Statements on D1 that name a token column during a window that is the same before and after the move: one run of cron, and an
 * access token asked for of each account of some people, as by a worker that acts on their behalf. Counted at the D1 bindings of all
 * four workers, from outside pollen's own code.
 */
export const countTokenQueries = Effect.fn("countTokenQueries")(function* (people: ReadonlyArray<Person>) {
  const { observe } = yield* Workers
  const accounts = people.slice(0, sampled).flatMap(({ id }) => providers.map((provider) => ({ userId: id, provider })))
  const before = yield* observe("statements", null)
  const cronMs = yield* cronRound
  const answers = yield* observe("readTokens", accounts)
  const after = yield* observe("statements", null)
  return { tokenQueries: after.ofTokens - before.ofTokens, answers, cronMs }
})

/** Makes one object in a hundred overdue, as if nothing had been heard of it; the next run of cron finds these. */
export const makeOverdue = Effect.fn("makeOverdue")(function* (people: ReadonlyArray<Person>) {
  const { observe } = yield* Workers
  const count = Math.ceil(people.length / overdueOneIn)
  const stride = Math.floor(people.length / count)
  const overdue = Array.from({ length: count }, (_, index) => people[index * stride]?.id ?? "")
  yield* observe("query", [
    {
      sql: "UPDATE durable_object_status SET expected_by = 1 WHERE user_id IN (SELECT value FROM json_each(?1))",
      values: [JSON.stringify(overdue)],
    },
  ])
})
