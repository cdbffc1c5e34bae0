import { Clock, Effect, Exit, Option } from "effect"
import { askDatabase } from "../domain/database.ts"

/** Token operations of one kind, source and outcome, as `token_operations` counts them. */
export interface OperationCount {
  readonly operation: "read" | "write" | "refresh" | "compare" | "copy"
  readonly source: "database" | "mirror"
  /** `ok`, the tag of an error, or for `compare`, `agrees` or `disagrees`. */
  readonly outcome: string
  readonly count: number
  /** Milliseconds, of all together and of the slowest. */
  readonly totalMs: number
  readonly slowestMs: number
}

const upsert = `INSERT INTO token_operations (operation, source, outcome, count, total_ms, slowest_ms, updated_at)
  SELECT value->>'operation', value->>'source', value->>'outcome', sum(value->>'count'), sum(value->>'totalMs'),
    max(value->>'slowestMs'), ?2
  FROM json_each(?1) WHERE true GROUP BY 1, 2, 3
  ON CONFLICT DO UPDATE SET count = count + excluded.count, total_ms = total_ms + excluded.total_ms,
    slowest_ms = max(slowest_ms, excluded.slowest_ms), updated_at = excluded.updated_at`

/** Adds to the counts of token operations that D1 answered: one statement, to go with others in a batch. */
export const countOperations = (database: D1Database, now: number, counts: ReadonlyArray<OperationCount>) =>
  database.prepare(upsert).bind(JSON.stringify(counts), now)

/**
 * Runs a write that D1 answers, and counts it by its outcome. One that somebody forestalled (`None`) is tried again where it belongs by
 * then, and counted there; a count that D1 does not take is left out.
 */
export const countingWrite = <A, E extends { readonly _tag: string }, R>(
  database: D1Database,
  write: Effect.Effect<Option.Option<A>, E, R>,
): Effect.Effect<Option.Option<A>, E, R> =>
  Effect.gen(function* () {
    const startedAt = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(write)
    const now = yield* Clock.currentTimeMillis
    if (Exit.isSuccess(exit) && Option.isNone(exit.value)) return exit.value
    const failure = Option.map(Exit.findErrorOption(exit), ({ _tag }) => _tag)
    const outcome = Exit.isSuccess(exit) ? "ok" : Option.getOrElse(failure, () => "Defect")
    const tookMs = Math.max(0, now - startedAt)
    const count = {
      operation: "write",
      source: "database",
      outcome,
      count: 1,
      totalMs: tookMs,
      slowestMs: tookMs,
    } as const
    yield* Effect.ignore(askDatabase("token operations", () => countOperations(database, now, [count]).run()))
    return yield* exit
  })
