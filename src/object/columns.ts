import { getTableColumns } from "drizzle-orm"
import type { SQLiteTable } from "drizzle-orm/sqlite-core"

/** A row as SQLite gives it: what is a boolean in the schema is 0 or 1. */
type RawRow<Row> = { readonly [Key in keyof Row]: Row[Key] extends boolean ? number : Row[Key] }

/** Columns of a table for a statement that drizzle does not build, under their names in the schema. */
interface Columns<Row> {
  /** What a SELECT names. */
  readonly sql: string
  /** The same as one JSON object. */
  readonly json: string
  /** Never there: the type of a row with these columns. */
  readonly row?: Row
}

/** The type of a row with these columns. */
export type RowOf<Chosen> = Chosen extends Columns<infer Row> ? Row : never

/** Chooses columns, so that the text of a statement and the type of its rows cannot drift apart. */
export const columns = <Table extends SQLiteTable, Key extends keyof Table["$inferSelect"] & string>(
  table: Table,
  ...keys: ReadonlyArray<Key>
): Columns<RawRow<Pick<Table["$inferSelect"], Key>>> => {
  const known = getTableColumns(table)
  const named = keys.map((key) => ({ key, name: known[key]?.name ?? key }))
  return {
    sql: named.map(({ key, name }) => `${name} AS ${key}`).join(", "),
    json: `json_object(${named.map(({ key, name }) => `'${key}', ${name}`).join(", ")})`,
  }
}
