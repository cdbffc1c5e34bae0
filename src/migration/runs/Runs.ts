import { Clock, Context, Effect, Layer, Schema } from "effect"
import type { DatabaseUnavailable } from "../../domain/error.ts"
import { Conflict, RunNotFound } from "../../http/error.ts"
import { type Progress, type Run, RunState } from "../api/runs.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { encodeParameters, RunParameters } from "./parameters.ts"
import { emptyProgress, ratesOf, StoredProgress } from "./progress.ts"

/** The newest runs are listed, at most this many. */
const listedAtMost = 50

/** User ids shown for each reason of failure. */
const examplesAtMost = 5

const RunRow = Schema.Struct({
  id: Schema.String,
  startedAt: Schema.Int,
  startedBy: Schema.String,
  parameters: Schema.fromJsonString(RunParameters),
  state: RunState,
  progress: Schema.fromJsonString(StoredProgress),
  updatedAt: Schema.Int,
})
/** A run as it is stored. */
export type RunRow = typeof RunRow.Type
const decodeRunRows = decodeRows(RunRow)

const columns = `id, started_at AS startedAt, started_by AS startedBy, parameters, state, progress, updated_at AS updatedAt`

const FailureRow = Schema.Struct({
  runId: Schema.String,
  reason: Schema.String,
  people: Schema.Int,
  userId: Schema.String,
})
const decodeFailureRows = decodeRows(FailureRow)

const selectFailures = `SELECT run_id AS runId, reason, people, user_id AS userId FROM (
    SELECT run_id, reason, user_id, count(*) OVER (PARTITION BY run_id, reason) AS people,
      row_number() OVER (PARTITION BY run_id, reason ORDER BY user_id) AS place
    FROM token_migration_status WHERE state = 'failed' AND run_id IN (SELECT value FROM json_each(?1)))
  WHERE place <= ${examplesAtMost} ORDER BY people DESC, reason, user_id`

// Only one run moves people at a time: two runs that want a person at different stages would move them back and forth for ever.
const insert = `INSERT INTO migration_runs (id, started_at, started_by, parameters, state, progress, updated_at)
  SELECT ?1, ?2, ?3, ?4, 'running', ?5, ?2
  WHERE ?6 OR NOT EXISTS (SELECT 1 FROM migration_runs WHERE state IN ('running', 'paused') AND NOT parameters->>'$.isDry')
  RETURNING id`

/** The condition that the run whose id is parameter `position` may still change anybody. */
export const runIsUnderWay = (position: number): string =>
  `EXISTS (SELECT 1 FROM migration_runs WHERE id = ?${position} AND state IN ('running', 'paused'))`

const setState = (fields: ReadonlyArray<string>) => {
  const values = fields.map((field, index) => `, '$.${field}', json(?${index + 5})`).join("")
  const progress = values === "" ? "progress" : `json_set(progress${values})`
  return `UPDATE migration_runs SET state = ?2, updated_at = ?3, progress = ${progress}
    WHERE id = ?1 AND state IN (SELECT value FROM json_each(?4)) RETURNING id`
}

// The page under way is the last, and changes nothing any more: not its instance alone has to end for that.
const breakLeases = `UPDATE token_migration_status SET lease = NULL WHERE state IN ('copying', 'verifying') AND run_id = ?1`

const setAnswers = `UPDATE migration_runs SET updated_at = ?2, progress = json_set(progress, '$.answers', ?3)
  WHERE id = ?1 AND state IN ('running', 'paused')`

type FailureRows = ReadonlyArray<typeof FailureRow.Type>

const failuresOf = (id: string, rows: FailureRows): Progress["failures"] =>
  [
    ...Map.groupBy(
      rows.filter(({ runId }) => runId === id),
      ({ reason }) => reason,
    ),
  ].map(([reason, group]) => ({
    reason,
    people: group[0]?.people ?? 0,
    examples: group.map(({ userId }) => userId),
  }))

const toRun = (row: RunRow, failures: FailureRows): Run => {
  const { id, state, startedAt, startedBy, updatedAt, parameters } = row
  const { instance: _instance, isEnding: _isEnding, ...progress } = row.progress
  return {
    id,
    kind: parameters.kind,
    isDry: parameters.dryRun,
    state,
    startedAt,
    startedBy,
    updatedAt,
    parameters: encodeParameters(parameters),
    progress: { ...progress, failures: parameters.dryRun ? progress.failures : failuresOf(id, failures) },
    ...ratesOf(row),
  }
}

/** `move-20261124-063512-1f2e`: the name says when the run started. Its Workflow instances have the same name. */
const newRunId = (kind: string, now: number): string => {
  const time = new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")
  return `${kind}-${time}-${crypto.randomUUID().slice(0, 8)}`
}

/** The runs of the migrator, as `migration_runs` stores them: their parameters and their progress. */
export class Runs extends Context.Service<
  Runs,
  {
    /** Stores a new run. `Conflict` while another run is moving people; a dry run moves nobody and is always accepted. */
    readonly create: (
      parameters: RunParameters,
      startedBy: string,
    ) => Effect.Effect<string, DatabaseUnavailable | Conflict>
    readonly find: (id: string) => Effect.Effect<RunRow, DatabaseUnavailable | RunNotFound>
    readonly get: (id: string) => Effect.Effect<Run, DatabaseUnavailable | RunNotFound>
    readonly list: Effect.Effect<ReadonlyArray<Run>, DatabaseUnavailable>
    /** Runs that are moving people, and paused ones that will. */
    readonly underWay: Effect.Effect<ReadonlyArray<RunRow>, DatabaseUnavailable>
    /** Cancelled runs whose instance may be alive still. */
    readonly ending: Effect.Effect<ReadonlyArray<RunRow>, DatabaseUnavailable>
    /** Takes the people whom a run has in hand out of it: whatever its page under way still asks for is refused. */
    readonly breakLeases: (id: string) => Effect.Effect<void, DatabaseUnavailable>
    /** Changes the state of a run that is in one of `from`, and the fields of its progress that `change` has. False for any other run. */
    readonly change: (
      id: string,
      from: ReadonlyArray<RunState>,
      to: RunState,
      change?: Partial<StoredProgress>,
    ) => Effect.Effect<boolean, DatabaseUnavailable>
    /** Records that a page is under way, and how many answers objects have given in it so far. */
    readonly heartbeat: (id: string, answers: number) => Effect.Effect<void, DatabaseUnavailable>
  }
>()("pollen/migration/Runs") {
  static readonly layer: Layer.Layer<Runs, never, Database> = Layer.effect(
    Runs,
    Effect.gen(function* () {
      const database = yield* Database
      const rowsWhere = (condition: string, ...parameters: ReadonlyArray<string>) =>
        Effect.flatMap(
          database.rows("runs", statement(`SELECT ${columns} FROM migration_runs ${condition}`, ...parameters)),
          decodeRunRows,
        )

      const toRuns = Effect.fnUntraced(function* (rows: ReadonlyArray<RunRow>) {
        const ids = JSON.stringify(rows.filter(({ parameters }) => !parameters.dryRun).map(({ id }) => id))
        const failures = yield* Effect.flatMap(
          database.rows("failures", statement(selectFailures, ids)),
          decodeFailureRows,
        )
        return rows.map((row) => toRun(row, failures))
      })

      const find = Effect.fn("Runs.find")(function* (id: string) {
        const [row] = yield* rowsWhere("WHERE id = ?1", id)
        return row ?? (yield* new RunNotFound({ id }))
      })

      return Runs.of({
        create: Effect.fn("Runs.create")(function* (parameters, startedBy) {
          const now = yield* Clock.currentTimeMillis
          const id = newRunId(parameters.kind, now)
          const asked = [JSON.stringify(encodeParameters(parameters)), JSON.stringify(emptyProgress)] as const
          const created = yield* database.rows(
            "runs",
            statement(insert, id, now, startedBy, ...asked, parameters.dryRun ? 1 : 0),
          )
          if (created.length > 0) return id
          return yield* new Conflict({
            reason: "run_under_way",
            detail: "Another run is under way. Wait for it or cancel it; starting a rollback cancels it too.",
          })
        }),
        find,
        get: Effect.fn("Runs.get")(function* (id) {
          const row = yield* find(id)
          const [run = toRun(row, [])] = yield* toRuns([row])
          return run
        }),
        list: Effect.flatMap(rowsWhere(`ORDER BY started_at DESC, id LIMIT ${listedAtMost}`), toRuns),
        underWay: Effect.map(rowsWhere("WHERE state IN ('running', 'paused')"), (rows) =>
          rows.filter(({ parameters }) => !parameters.dryRun),
        ),
        ending: rowsWhere("WHERE state = 'cancelled' AND progress->>'$.isEnding'"),
        breakLeases: Effect.fn("Runs.breakLeases")(function* (id) {
          yield* database.rows("leases", statement(breakLeases, id))
        }),
        heartbeat: Effect.fn("Runs.heartbeat")(function* (id, answers) {
          const now = yield* Clock.currentTimeMillis
          yield* database.rows("runs", statement(setAnswers, id, now, answers))
        }),
        change: Effect.fn("Runs.change")(function* (id, from, to, change = {}) {
          const now = yield* Clock.currentTimeMillis
          const values = Object.values(change).map((value) => JSON.stringify(value))
          const changed = yield* database.rows(
            "runs",
            statement(setState(Object.keys(change)), id, to, now, JSON.stringify(from), ...values),
          )
          return changed.length > 0
        }),
      })
    }),
  )
}
