import { Schema } from "effect"
import { Stage } from "../../domain/stage.ts"
import type { StartMove, StartRollback } from "../api/runs.ts"

/**
 * What a run was asked to do. `migration_runs.parameters` stores it, and each page of the run reads it from there; the JSON keeps the
 * names that it had from the start.
 */
export const RunParameters = Schema.Struct({
  kind: Schema.Literals(["move", "rollback"]),
  dryRun: Schema.Boolean,
  /** People that a page takes. */
  pageSize: Schema.Int,
  /** Objects called at once. */
  concurrency: Schema.Int,
  patienceSeconds: Schema.Int,
  /** Only these people; everybody when `null`. */
  people: Schema.NullOr(Schema.Array(Schema.String)),
  /** Of a rollback: the stage that it takes people back to, and the stage that it takes them from (any, when `null`). */
  to: Schema.NullOr(Stage),
  at: Schema.NullOr(Stage),
  includesStartedInObject: Schema.Boolean,
}).pipe(Schema.encodeKeys({ dryRun: "isDry", includesStartedInObject: "includesBorn" }))
export type RunParameters = typeof RunParameters.Type

/** The parameters as they are stored and shown, and back. */
export const encodeParameters = Schema.encodeSync(RunParameters)
export const decodeParameters = Schema.decodeEffect(RunParameters)

/** A run as its pages know it. */
export interface StartedRun {
  readonly id: string
  readonly parameters: RunParameters
}

const defaults = { pageSize: 500, concurrency: 20, patienceSeconds: 300 }

const common = ({ isDry, pageSize, concurrency, patienceSeconds, people }: StartMove | StartRollback) => ({
  dryRun: isDry ?? false,
  pageSize: pageSize ?? defaults.pageSize,
  concurrency: concurrency ?? defaults.concurrency,
  patienceSeconds: patienceSeconds ?? defaults.patienceSeconds,
  people: people ?? null,
})

export const moveParameters = (asked: StartMove): RunParameters => ({
  ...common(asked),
  kind: "move",
  to: null,
  at: null,
  includesStartedInObject: false,
})

export const rollbackParameters = (asked: StartRollback): RunParameters => ({
  ...common(asked),
  kind: "rollback",
  to: asked.to,
  at: asked.at ?? null,
  // A person named in the request is included, wherever their accounts started.
  includesStartedInObject: asked.includesBorn ?? asked.people !== undefined,
})
