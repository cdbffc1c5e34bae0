import { Schema } from "effect"
import { Stage } from "../../domain/stage.ts"
import type { StartMove, StartRollback } from "../api/runs.ts"

/** What a run was asked to do: the row of `migration_runs` keeps it, so that each page reads it anew. */
export const RunParameters = Schema.Struct({
  kind: Schema.Literals(["move", "rollback"]),
  isDry: Schema.Boolean,
  /** People that a page takes. */
  pageSize: Schema.Int,
  /** Objects asked at once. */
  concurrency: Schema.Int,
  patienceSeconds: Schema.Int,
  /** Only these people; everybody when `null`. */
  people: Schema.NullOr(Schema.Array(Schema.String)),
  /** Of a rollback: the stage to go back to, and from where. */
  to: Schema.NullOr(Stage),
  at: Schema.NullOr(Stage),
  includesBorn: Schema.Boolean,
})
export type RunParameters = typeof RunParameters.Type

const defaults = { pageSize: 500, concurrency: 20, patienceSeconds: 300 }

const common = ({ isDry, pageSize, concurrency, patienceSeconds, people }: StartMove | StartRollback) => ({
  isDry: isDry ?? false,
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
  includesBorn: false,
})

export const rollbackParameters = (asked: StartRollback): RunParameters => ({
  ...common(asked),
  kind: "rollback",
  to: asked.to,
  at: asked.at ?? null,
  // Whoever is named is meant.
  includesBorn: asked.includesBorn ?? asked.people !== undefined,
})
