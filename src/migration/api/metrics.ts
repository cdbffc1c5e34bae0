import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, whole } from "./schemas.ts"

/** What the runs of one way came to. */
const CronRuns = Schema.Struct({
  runs: Schema.Int,
  /** Runs that did not get through. */
  incomplete: Schema.Int,
  lastAt: Moment,
  /** Milliseconds: on average, at most, and all together. */
  averageMs: Schema.Finite,
  slowestMs: Schema.Int,
  totalMs: Schema.Int,
  /** People looked after, and failures, in all runs together. */
  people: Schema.Int,
  failed: Schema.Int,
  /** The figures of the last run, as they were recorded. */
  last: Schema.NullOr(Schema.Json),
})
export type CronRuns = typeof CronRuns.Type

/** Token operations of one kind that ended in one way. */
const TokenOperation = Schema.Struct({
  operation: Schema.String,
  /** Who answered: `database`, `mirror`, `object`. */
  source: Schema.String,
  /** `ok`, or the tag of an error. */
  outcome: Schema.String,
  count: Schema.Int,
  averageMs: Schema.Finite,
  slowestMs: Schema.Int,
})

/** Both ways side by side. */
export const Metrics = Schema.Struct({
  since: Schema.Int,
  /** The central poller's runs, and those that wake objects. */
  cron: Schema.Struct({ legacy: CronRuns, objects: CronRuns }),
  /** Since counting began. */
  tokens: Schema.Array(TokenOperation),
})
export type Metrics = typeof Metrics.Type

/** What operators did. */
export const Action = Schema.Struct({
  id: Schema.Int,
  at: Schema.Int,
  actor: Schema.String,
  action: Schema.String,
  detail: Schema.Json,
  /** `begun` while it runs, and for ever if the worker died; `ok`; or the tag of the error. */
  outcome: Schema.String,
})
export type Action = typeof Action.Type

export class MetricsGroup extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("getMetrics", "/v1/metrics", {
      query: {
        /** Epoch milliseconds from which cron runs count; a day ago unless said. */
        since: Schema.optionalKey(Schema.Int),
      },
      success: Metrics,
      error: problemDocument(503),
    }),
    HttpApiEndpoint.get("listActions", "/v1/actions", {
      query: {
        /** `next` of the page before. */
        before: Schema.optionalKey(Schema.Int),
        limit: Schema.optionalKey(whole(1, 200)),
      },
      success: Schema.Struct({ actions: Schema.Array(Action), next: Moment }),
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
