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
