import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, namedAtMost, people, whole } from "./schemas.ts"

const settings = {
  /** Looks at everything, writes nothing, and reports what would happen and what would fail. */
  isDry: Schema.optionalKey(Schema.Boolean),
  /** People that one step of the run takes; 500 unless said. */
  pageSize: Schema.optionalKey(whole(1, 1000)),
  /** Objects asked at once; 20 unless said. */
  concurrency: Schema.optionalKey(whole(1, 100)),
  /** How long the run waits, when only failed people are left, for the first that is due again; 300 unless said. */
  patienceSeconds: Schema.optionalKey(whole(0, 86_400)),
}

/** Takes people to where the flags say they should be. */
export const StartMove = Schema.Struct({
  ...settings,
  /** Only these people. */
  people: Schema.optionalKey(people(namedAtMost)),
})
export type StartMove = typeof StartMove.Type

/**
 * Takes people back to a stage and keeps them there whatever the flags say, until `lift`. Names people, or all who are at a stage
 * now, or everybody. A run under way is cancelled for it.
 */
export const StartRollback = Schema.Struct({
  ...settings,
  to: Stage,
  people: Schema.optionalKey(people(namedAtMost)),
  at: Schema.optionalKey(Stage),
  everybody: Schema.optionalKey(Schema.Boolean),
  /** Takes people whose accounts began in an object into D1 as well; of `everybody` they are left out otherwise. */
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

/** People who would go, or went, from one stage to another. */
const Route = Schema.Struct({ from: Stage, to: Stage, people: Schema.Int })

const FailureCount = Schema.Struct({
  reason: Schema.String,
  people: Schema.Int,
  /** A few of them. */
  examples: Schema.Array(Schema.String),
})
export type FailureCount = typeof FailureCount.Type

export const Progress = Schema.Struct({
  /** Passes over everybody, the first being 1; 0 while it is counted who has a step to take. */
  pass: Schema.Int,
  /** The last user id that this pass has looked at. */
  cursor: Schema.String,
  /** People who had a step to take when the run began, and the steps that they had to take together. */
  people: Schema.Int,
  steps: Schema.Int,
  /** Steps taken, and people who have arrived where they should be. */
  taken: Schema.Int,
  arrived: Schema.Int,
  /** Steps that a person's own change overtook, and that are taken again. */
  overtaken: Schema.Int,
  /** Attempts at a step that failed. */
  failedAttempts: Schema.Int,
  /** Answers that objects gave in the page under way: a sign of life while nothing of it is written down yet. */
  answers: Schema.Int.pipe(Schema.withDecodingDefaultKey(Effect.succeed(0))),
  /** Until when the run waits for failed people; `null` while it works. */
  waitingUntil: Moment,
  /** Of a dry run: where people would go. */
  routes: Schema.Array(Route),
  /** Who has failed and has not got through since; of a dry run: who would fail. */
  failures: Schema.Array(FailureCount),
  /** Why the run itself failed. */
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
  /** What was asked. */
  parameters: Schema.Json,
  progress: Progress,
  /** Steps per second, and people who arrived per second, since the run began. */
  stepsPerSecond: Schema.Finite,
  peoplePerSecond: Schema.Finite,
  /** Milliseconds that the steps not taken need at that pace; `null` while there is none. */
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
      "With `Accept: text/event-stream` the answer is a stream of `progress` events, each a run, that ends with one `done`.",
    ),
    HttpApiEndpoint.post("pauseRun", "/v1/runs/:id/pause", run),
    HttpApiEndpoint.post("resumeRun", "/v1/runs/:id/resume", run),
    HttpApiEndpoint.post("cancelRun", "/v1/runs/:id/cancel", run),
    HttpApiEndpoint.post("takeOnRuns", "/v1/runs/take-on", {
      success: Schema.Struct({ runs: Schema.Array(Run) }),
      error: problemDocument(503),
    }).annotate(
      OpenApi.Description,
      "Goes on with runs whose process was killed. Needed after a local restart alone; where nothing has stopped it changes nothing.",
    ),
    HttpApiEndpoint.post("lift", "/v1/lifts", {
      payload: Schema.Struct({
        /** Only of these people; of everybody unless given. */
        people: Schema.optionalKey(Schema.Array(UserId)),
        /** Counts them and lifts nothing. */
        isDry: Schema.optionalKey(Schema.Boolean),
      }),
      success: Schema.Struct({ lifted: Schema.Int }),
      error: [...body],
    }).annotate(
      OpenApi.Description,
      "Takes away what a rollback left: from here on the flags alone say again where these people should be.",
    ),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
