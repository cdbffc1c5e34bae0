import { Effect, Schema } from "effect"
import { spotifyLifetimeMs } from "../domain/grantLife.ts"
import { Provider } from "../domain/provider.ts"
import type { CronRuns, Metrics } from "./api/metrics.ts"
import { Database, decodeRows, statement } from "./Database.ts"

// The legacy poller and the objects record figures under the same names, so that they can be compared.
const selectRuns = `SELECT kind, count(*) AS runs, sum(NOT coalesce(figures->>'isComplete', 1)) AS incomplete, max(at) AS lastAt,
    coalesce(avg(figures->>'durationMs'), 0) AS averageMs, coalesce(max(figures->>'durationMs'), 0) AS slowestMs,
    coalesce(sum(figures->>'durationMs'), 0) AS totalMs, coalesce(sum(figures->>'found'), 0) AS people,
    coalesce(sum(figures->>'failed'), 0) AS failed
  FROM durable_object_metrics WHERE kind IN ('legacy_run', 'cron_run') AND at >= ?1 GROUP BY kind`

const selectLast = `SELECT kind, figures FROM durable_object_metrics
  WHERE id IN (SELECT max(id) FROM durable_object_metrics WHERE kind IN ('legacy_run', 'cron_run') AND at >= ?1 GROUP BY kind)`

const selectOfDatabase = `SELECT operation, source, outcome, count, total_ms AS totalMs, slowest_ms AS slowestMs FROM token_operations`

const selectOfObjects = `SELECT one.value->>'operation' AS operation, 'object' AS source, one.value->>'outcome' AS outcome,
    sum(one.value->>'count') AS count, sum(one.value->>'totalMs') AS totalMs, max(one.value->>'slowestMs') AS slowestMs
  FROM durable_object_status, json_each(operations) one GROUP BY 1, 3`

const countSetAside = `SELECT count(*) AS people, coalesce(sum(set_aside), 0) AS rows FROM durable_object_status WHERE set_aside > 0`
const decodeSetAside = decodeRows(Schema.Struct({ people: Schema.Int, rows: Schema.Int }))

const weekMs = 7 * 24 * 3_600_000

/** -1 of a grant that has ended; `null` of one whose age nobody knows. */
const countGrants = `SELECT account.provider, count(*) AS grants, CASE WHEN authorized_at + life.value->>'lifetimeMs' <= ?2 THEN -1
    ELSE CAST((authorized_at + life.value->>'lifetimeMs' - ?2) / ?3 AS INTEGER) END AS week
  FROM json_each(?1) life JOIN user_accounts account ON account.provider = life.value->>'provider'
  WHERE is_active AND state = 'connected' GROUP BY 1, 3 ORDER BY 1, 3`

/** Lifetimes as the statement takes them. Those of a Google application in testing are a setting of the core worker, and not counted. */
const lives = JSON.stringify([{ provider: "spotify", lifetimeMs: spotifyLifetimeMs }])

const decodeGrants = decodeRows(
  Schema.Struct({ provider: Provider, grants: Schema.Int, week: Schema.NullOr(Schema.Int) }),
)

const toGrantLives = (counted: Effect.Success<ReturnType<typeof decodeGrants>>, now: number): Metrics["grants"] => {
  const of = (wanted: number | null) =>
    counted.filter(({ week }) => week === wanted).map(({ provider, grants }) => ({ provider, grants }))
  const ending = counted.flatMap(({ provider, grants, week }) =>
    week === null || week < 0 ? [] : [{ provider, from: now + week * weekMs, grants }],
  )
  return { ending, ended: of(-1), ofUnknownAge: of(null) }
}

const Kind = Schema.Literals(["legacy_run", "cron_run"])
const decodeRuns = decodeRows(
  Schema.Struct({
    kind: Kind,
    runs: Schema.Int,
    incomplete: Schema.Int,
    lastAt: Schema.NullOr(Schema.Int),
    averageMs: Schema.Finite,
    slowestMs: Schema.Int,
    totalMs: Schema.Int,
    people: Schema.Int,
    failed: Schema.Int,
  }),
)
const decodeLast = decodeRows(Schema.Struct({ kind: Kind, figures: Schema.fromJsonString(Schema.Json) }))
const decodeOperations = decodeRows(
  Schema.Struct({
    operation: Schema.String,
    source: Schema.String,
    outcome: Schema.String,
    count: Schema.Int,
    totalMs: Schema.Int,
    slowestMs: Schema.Int,
  }),
)

const noRuns = {
  runs: 0,
  incomplete: 0,
  lastAt: null,
  averageMs: 0,
  slowestMs: 0,
  totalMs: 0,
  people: 0,
  failed: 0,
}

/**
 * Compares the legacy poller with the objects: figures of cron's runs since a time (epoch milliseconds), and token operations by source.
 * Counts the grants that end in each week from `now` on.
 */
export const readMetrics = Effect.fn("readMetrics")(function* (since: number, now: number) {
  const database = yield* Database
  const [runRows = [], lastRows = [], databaseRows = [], objectRows = [], grantRows = [], setAsideRows = []] =
    yield* database.batch("metrics", [
      statement(selectRuns, since),
      statement(selectLast, since),
      statement(selectOfDatabase),
      statement(selectOfObjects),
      statement(countGrants, lives, now, weekMs),
      statement(countSetAside),
    ])
  const runs = yield* decodeRuns(runRows)
  const last = yield* decodeLast(lastRows)
  const operations = yield* decodeOperations([...databaseRows, ...objectRows])
  const [setAside = { people: 0, rows: 0 }] = yield* decodeSetAside(setAsideRows)
  const of = (kind: typeof Kind.Type): CronRuns => {
    const { kind: _kind, ...figures } = { kind, ...noRuns, ...runs.find((one) => one.kind === kind) }
    return { ...figures, last: last.find((one) => one.kind === kind)?.figures ?? null }
  }
  return {
    since,
    cron: { legacy: of("legacy_run"), objects: of("cron_run") },
    tokens: operations.map(({ totalMs, ...operation }) => ({
      ...operation,
      averageMs: operation.count === 0 ? 0 : totalMs / operation.count,
    })),
    grants: toGrantLives(yield* decodeGrants(grantRows), now),
    setAside,
  } satisfies Metrics
})
