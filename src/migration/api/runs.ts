import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, namedAtMost, people, whole } from "./schemas.ts"

const settings = {
  /** A dry run: writes nothing, and reports what the run would do and what would fail. */
  isDry: Schema.optionalKey(Schema.Boolean),
  /** People in one page of the run; 500 by default. */
  pageSize: Schema.optionalKey(whole(1, 1000)),
  /** Objects called at once; 20 by default. */
  concurrency: Schema.optionalKey(whole(1, 100)),
  /** How long the run waits, when only failed people are left, for the first retry that is due; 300 by default. */
  patienceSeconds: Schema.optionalKey(whole(0, 86_400)),
}

/** Must be true for a request about everybody: one that merely names nobody is refused. */
const everybody = Schema.optionalKey(Schema.Boolean)

const peopleOrEverybody = Schema.makeFilter((asked: { readonly people?: unknown; readonly everybody?: boolean }) =>
  (asked.people !== undefined) !== (asked.everybody === true)
    ? undefined
    : { path: ["people"], issue: "exactly one of people and everybody must be given" },
)

/** Takes people to the stages that the flags say. */
export const StartMove = Schema.Struct({
  ...settings,
  /** Only these people. */
  people: Schema.optionalKey(people(namedAtMost)),
  everybody,
}).check(peopleOrEverybody)
export type StartMove = typeof StartMove.Type

/**
 * Takes people back to a stage and keeps them there, whatever the flags say, until `clearCeilings`. Concerns the people named, or all who
 * are at a stage now, or everybody. Cancels a move that is under way.
 */
export const StartRollback = Schema.Struct({
  ...settings,
  to: Stage,
  people: Schema.optionalKey(people(namedAtMost)),
  at: Schema.optionalKey(Stage),
  everybody,
  /** Whether `at` and `everybody` include people whose accounts started in an object, and who never were in D1. */
  includesBorn: Schema.optionalKey(Schema.Boolean),
}).pipe(
  Schema.check(
    Schema.makeFilter(({ people, at, everybody }) =>
      [people !== undefined, at !== undefined, everybody === true].filter(Boolean).length === 1
        ? undefined
        : { path: ["people"], issue: "exactly one of people, at and everybody must be given" },
    ),
  ),
)
export type StartRollback = typeof StartRollback.Type

export const RunState = Schema.Literals(["running", "paused", "finished", "failed", "cancelled"])
export type RunState = typeof RunState.Type

/** The number of people who go from one stage to another. */
const Route = Schema.Struct({ from: Stage, to: Stage, people: Schema.Int })

const FailureCount = Schema.Struct({
  reason: Schema.String,
  people: Schema.Int,
  /** A few of them. */
  examples: Schema.Array(Schema.String),
})
export type FailureCount = typeof FailureCount.Type

export const Progress = Schema.Struct({
  /** The pass over everybody that is under way, from 1; 0 while the run counts the people who have a step to take. */
  pass: Schema.Int,
  /** The last user id that this pass has reached. */
  cursor: Schema.String,
  /** People who had a step to take when the run started, and the steps that they had to take together. */
  people: Schema.Int,
  steps: Schema.Int,
  /** Steps taken, and people who have reached their destination. */
  taken: Schema.Int,
  arrived: Schema.Int,
  /** Steps that a person's own change overtook, and that the run begins again. */
  overtaken: Schema.Int,
  /** Attempts at a step that failed. */
  failedAttempts: Schema.Int,
  /** Answers from objects in the page under way: a sign of life before the page is recorded. */
  answers: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  /** When the run retries failed people, if it is waiting for that; `null` while it works. */
  waitingUntil: Moment,
  /** The stages that people go from and to, counted when the run started. */
  routes: Schema.Array(Route),
  /** People whose last attempt failed; of a dry run: people who would fail. */
  failures: Schema.Array(FailureCount),
  /** Why the run itself failed or stopped. */
  reason: Schema.NullOr(Schema.String),
})
export type Progress = typeof Progress.Type

export const Run = Schema.Struct({
  id: Schema.String,
  kind: Schema.Literals(["move", "rollback"]),
  isDry: Schema.Boolean,
  state: RunState,
  startedAt: Schema.Int,
  startedBy: Schema.String,
  updatedAt: Schema.Int,
  /** The parameters of the run, defaults included. */
  parameters: Schema.Json,
  progress: Progress,
  /** Steps taken per second, and people who reached their destination per second, since the run started. */
  stepsPerSecond: Schema.Finite,
  peoplePerSecond: Schema.Finite,
  /** Milliseconds that the remaining steps take at that pace; `null` while there is none. */
  remainingMs: Moment,
})
export type Run = typeof Run.Type

const run = {
  params: { id: Schema.String },
  success: Run,
  error: [problemDocument(404), problemDocument(409), problemDocument(503)],
}
const body = [problemDocument(409), problemDocument(413), problemDocument(415), problemDocument(503)] as const

export class Runs extends HttpApiGroup.make("runs")
  .add(
    HttpApiEndpoint.post("startMove", "/v1/runs", { payload: StartMove, success: Run, error: [...body] }),
    HttpApiEndpoint.post("startRollback", "/v1/rollbacks", { payload: StartRollback, success: Run, error: [...body] }),
    HttpApiEndpoint.get("listRuns", "/v1/runs", {
      success: Schema.Struct({ runs: Schema.Array(Run) }),
      error: problemDocument(503),
    }),
    HttpApiEndpoint.get("getRun", "/v1/runs/:id", {
      ...run,
      headers: { accept: Schema.optionalKey(Schema.String) },
    }).annotate(
      OpenApi.Description,
      "With `Accept: text/event-stream` the response is a stream of `progress` events, each of them a run, and ends with one `done` event.",
    ),
    HttpApiEndpoint.post("pauseRun", "/v1/runs/:id/pause", run),
    HttpApiEndpoint.post("resumeRun", "/v1/runs/:id/resume", run),
    HttpApiEndpoint.post("cancelRun", "/v1/runs/:id/cancel", run),
    HttpApiEndpoint.post("recoverRuns", "/v1/runs/take-on", {
      success: Schema.Struct({ runs: Schema.Array(Run) }),
      error: problemDocument(503),
    }).annotate(
      OpenApi.Description,
      "Continues the runs whose process was killed. Needed only after a local restart; a run that is alive is paused for a moment.",
    ),
    HttpApiEndpoint.post("clearCeilings", "/v1/lifts", {
      payload: Schema.Struct({
        /** Only these people. */
        people: Schema.optionalKey(Schema.Array(UserId)),
        everybody,
        /** Counts the ceilings and clears none. */
        isDry: Schema.optionalKey(Schema.Boolean),
      }).check(peopleOrEverybody),
      success: Schema.Struct({ lifted: Schema.Int }),
      error: [...body],
    }).annotate(
      OpenApi.Description,
      "Clears the ceilings that rollbacks set: from now on the flags alone say which stage these people should be at.",
    ),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
