import { Effect } from "effect"
import { InvalidRequest } from "../../domain/error.ts"
import type { Mapping } from "../api/mapping.ts"
import { Database, statement } from "../Database.ts"

const select = "SELECT name FROM pragma_table_info(?1)"

/** Quotes a name for SQL. The schema accepts no name that could end the quotes. */
const quoted = (name: string): string => `"${name}"`

/** A qualified column: SQLite would take an unqualified quoted name that it does not know for a string. */
const column = (name: string): string => `source.${quoted(name)}`

const isTable = "SELECT count(*) AS tables FROM sqlite_schema WHERE name = ?1 AND type IN ('table', 'view')"

/** SQLite's own key of a row, for tables without a key of one column. */
const rowid = "rowid"

/** Fails, with the path of each missing name, unless the table and all mapped columns exist. */
export const requireColumns = Effect.fn("requireColumns")(function* (mapping: Mapping) {
  const database = yield* Database
  const [tables = [], found = []] = yield* database.batch("table", [
    statement(isTable, mapping.table),
    statement(select, mapping.table),
  ])
  const isThere = Number(tables[0]?.["tables"]) > 0
  const names = new Set(found.map(({ name }) => String(name).toLowerCase()))
  const wanted = Object.entries(mapping.columns).map(([field, name]) => [`mapping.columns.${field}`, name] as const)
  const key = mapping.key ?? rowid
  const named = key === rowid ? wanted : [...wanted, ["mapping.key", key] as const]
  const missing = named.filter(([, name]) => !names.has(name.toLowerCase()))
  if (isThere && missing.length === 0) return
  const issues = isThere
    ? missing.map(([path, name]) => ({ path, message: `the table has no column "${name}"` }))
    : [{ path: "mapping.table", message: `there is no table "${mapping.table}"` }]
  return yield* new InvalidRequest({ method: "table", issues })
})

const fields = ({ columns, key = rowid }: Mapping): string =>
  [["key", key], ...Object.entries(columns)]
    .map(([field, name]) => `${column(String(name))} AS ${quoted(String(field))}`)
    .join(", ")

/** Selects the rows after a key, in order of the key; from the start without one. */
export const selectRows = (mapping: Mapping, after: string | number | undefined, limit: number) => {
  const key = column(mapping.key ?? rowid)
  const sql = `SELECT ${fields(mapping)} FROM ${quoted(mapping.table)} source
    ${after === undefined ? "" : `WHERE ${key} > ?2`} ORDER BY ${key} LIMIT ?1`
  return after === undefined ? statement(sql, limit) : statement(sql, limit, after)
}

export const countRows = ({ table }: Mapping) => statement(`SELECT count(*) AS rows FROM ${quoted(table)}`)

/** Counts the rows of each of these people, by the table's name of the provider. */
export const selectRepeated = ({ table, columns }: Mapping, userIds: ReadonlyArray<string>) => {
  const user = column(columns.userId)
  const provider = columns.provider === undefined ? "''" : column(columns.provider)
  return statement(
    `SELECT ${user} AS userId, ${provider} AS provider, count(*) AS rows FROM ${quoted(table)} source
     WHERE ${user} IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2`,
    JSON.stringify(userIds),
  )
}
