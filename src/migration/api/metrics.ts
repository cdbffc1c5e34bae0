import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, whole } from "./schemas.ts"

/** Figures of cron's runs of one kind. */
const CronRuns = Schema.Struct({
  runs: Schema.Int,
  /** Runs that did not reach everybody. */
  incomplete: Schema.Int,
  lastAt: Moment,
  /** Durations in milliseconds: average, longest, total. */
  averageMs: Schema.Finite,
  slowestMs: Schema.Int,
  totalMs: Schema.Int,
  /** People found due, and failures, in all runs together. */
  people: Schema.Int,
  failed: Schema.Int,
  /** The figures of the last run, as it recorded them. */
  last: Schema.NullOr(Schema.Json),
})
export type CronRuns = typeof CronRuns.Type

/** Token operations of one kind, from one source, with one outcome. */
const TokenOperation = Schema.Struct({
  operation: Schema.String,
  /** The side that answered: `database`, `mirror` or `object`. */
  source: Schema.String,
  /** `ok`, or the tag of an error. */
  outcome: Schema.String,
  count: Schema.Int,
  averageMs: Schema.Finite,
  slowestMs: Schema.Int,
})

const GrantCount = Schema.Struct({ provider: Provider, grants: Schema.Int })

/** Connected grants of providers that end them by their age, whoever holds them. */
const GrantLives = Schema.Struct({
  /** Grants that end within the 7 days from `from` (epoch milliseconds) on, unless their people connect again; weeks without any are left out. */
  ending: Schema.Array(Schema.Struct({ ...GrantCount.fields, from: Schema.Int })),
  /** Grants that have ended, and have not been refused yet. */
  ended: Schema.Array(GrantCount),
  /** Grants of which nobody knows when they were authorized. */
  ofUnknownAge: Schema.Array(GrantCount),
})

/** Figures of the legacy poller and of the objects. */
export const Metrics = Schema.Struct({
  since: Schema.Int,
  /** The runs of the legacy poller, and the runs that wake objects. */
  cron: Schema.Struct({ legacy: CronRuns, objects: CronRuns }),
  /** Since counting began. */
  tokens: Schema.Array(TokenOperation),
  grants: GrantLives,
  /** Rows that D1 refused for what they are, and that objects keep aside; and of how many people. */
  setAside: Schema.Struct({ people: Schema.Int, rows: Schema.Int }),
})
export type Metrics = typeof Metrics.Type

/** An operator's action. */
export const Action = Schema.Struct({
  id: Schema.Int,
  at: Schema.Int,
  actor: Schema.String,
  action: Schema.String,
  detail: Schema.Json,
  /** `begun` while the action runs, and for ever if the worker died; then `ok`, or the tag of the error. */
  outcome: Schema.String,
})
export type Action = typeof Action.Type

export class MetricsGroup extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("getMetrics", "/v1/metrics", {
      query: {
        /** Cron runs from this time on count: epoch milliseconds; a day ago by default. */
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
