import { Context, Effect, Layer, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import type { DatabaseUnavailable } from "../domain/error.ts"

/** A parameter of a statement. Rows are passed as one JSON text, because D1 binds at most 100 parameters. */
type Parameter = string | number | null

/** SQL and its parameters; `?1` is the first. */
export interface Statement {
  readonly sql: string
  readonly parameters: ReadonlyArray<Parameter>
}

export const statement = (sql: string, ...parameters: ReadonlyArray<Parameter>): Statement => ({ sql, parameters })

type Rows = ReadonlyArray<Record<string, unknown>>

/** D1 as the migrator uses it: a few statements per page, however many people are in the page. */
export class Database extends Context.Service<
  Database,
  {
    /** Runs one statement and returns its rows. `operation` names the statement in an error. */
    readonly rows: (operation: string, one: Statement) => Effect.Effect<Rows, DatabaseUnavailable>
    /** Runs statements in one transaction and one request, and returns the rows of each. */
    readonly batch: (
      operation: string,
      statements: ReadonlyArray<Statement>,
    ) => Effect.Effect<ReadonlyArray<Rows>, DatabaseUnavailable>
  }
>()("pollen/migration/Database") {
  static readonly layer = (database: D1Database): Layer.Layer<Database> => Layer.succeed(Database, databaseOf(database))
}

export const databaseOf = (database: D1Database): Database["Service"] => {
  const prepare = ({ sql, parameters }: Statement) => database.prepare(sql).bind(...parameters)
  return {
    rows: Effect.fn("Database.rows")(function* (operation, one) {
      const { results } = yield* askDatabase(operation, () => prepare(one).all<Record<string, unknown>>())
      return results
    }),
    batch: Effect.fn("Database.batch")(function* (operation, statements) {
      const results = yield* askDatabase(operation, () =>
        database.batch<Record<string, unknown>>(statements.map(prepare)),
      )
      return results.map((result) => result.results)
    }),
  }
}

/** Decodes rows that only pollen writes: a row that does not decode is a defect. */
export const decodeRows = <S extends Schema.Codec<unknown, unknown>>(row: S) => {
  const decode = Schema.decodeUnknownEffect(Schema.Array(row))
  return (rows: Rows): Effect.Effect<ReadonlyArray<S["Type"]>> => Effect.orDie(decode(rows))
}
