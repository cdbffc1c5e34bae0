import { Effect } from "effect"
import { InvalidRequest } from "../../domain/error.ts"
import type { Condition, Mapping } from "../api/mapping.ts"
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
  const wanted = [
    ...Object.entries(mapping.columns).map(([field, name]) => [`mapping.columns.${field}`, name] as const),
    ...(mapping.where ?? []).map(({ column: name }, index) => [`mapping.where.${index}.column`, name] as const),
  ]
  const key = mapping.key ?? rowid
  const named = key === rowid ? wanted : [...wanted, ["mapping.key", key] as const]
  const missing = named.filter(([, name]) => !names.has(name.toLowerCase()))
  if (isThere && missing.length === 0) return
  const issues = isThere
    ? missing.map(([path, name]) => ({ path, message: `the table has no column "${name}"` }))
    : [{ path: "mapping.table", message: `there is no table "${mapping.table}"` }]
  return yield* new InvalidRequest({ method: "table", issues })
})

const fields = ({ columns: { deletedAt: _deletedAt, ...columns }, key = rowid }: Mapping): string =>
  [["key", key], ...Object.entries(columns)]
    .map(([field, name]) => `${column(String(name))} AS ${quoted(String(field))}`)
    .join(", ")

/** SQL with its parameters, which it numbers from `first` on. */
interface Conditions {
  readonly sql: string
  readonly parameters: ReadonlyArray<string | number | null>
}

const toParameter = (value: string | number | boolean | null) => (typeof value === "boolean" ? Number(value) : value)

const conditionOf = ({ column: name, is, isNot, isOneOf }: Condition, position: number) => {
  if (isOneOf !== undefined) {
    const all = JSON.stringify(isOneOf.map(toParameter))
    return { sql: `${column(name)} IN (SELECT value FROM json_each(?${position}))`, parameter: all }
  }
  const isEqual = is !== undefined
  return {
    sql: `${column(name)} ${isEqual ? "IS" : "IS NOT"} ?${position}`,
    parameter: toParameter((isEqual ? is : isNot) ?? null),
  }
}

/** The conditions of a row that is read: those of the mapping, a key, and no mark of deletion. */
const conditionsOf = ({ where = [], columns, key = rowid }: Mapping, first: number): Conditions => {
  const given = where.map((condition, index) => conditionOf(condition, first + index))
  const { deletedAt } = columns
  const isLeft = deletedAt === undefined ? [] : [`coalesce(${column(deletedAt)}, '') = ''`]
  return {
    sql: [`${column(key)} IS NOT NULL`, ...isLeft, ...given.map(({ sql }) => sql)].join(" AND "),
    parameters: given.map(({ parameter }) => parameter),
  }
}

/** Selects the rows after a key, in order of the key; from the start without one. */
export const selectRows = (mapping: Mapping, after: string | number | undefined, limit: number) => {
  const key = column(mapping.key ?? rowid)
  const fixed = after === undefined ? [limit] : [limit, after]
  const { sql: conditions, parameters } = conditionsOf(mapping, fixed.length + 1)
  const sql = `SELECT ${fields(mapping)} FROM ${quoted(mapping.table)} source
    WHERE ${conditions}${after === undefined ? "" : ` AND ${key} > ?2`} ORDER BY ${key} LIMIT ?1`
  return statement(sql, ...fixed, ...parameters)
}

/** Counts the rows that are read, and all. */
export const countRows = (mapping: Mapping) => {
  const { sql, parameters } = conditionsOf(mapping, 1)
  return statement(
    `SELECT count(*) AS total, coalesce(sum(${sql}), 0) AS rows FROM ${quoted(mapping.table)} source`,
    ...parameters,
  )
}

/** Counts the rows of each of these people, by the table's name of the provider. */
export const selectRepeated = (mapping: Mapping, userIds: ReadonlyArray<string>) => {
  const { table, columns } = mapping
  const user = column(columns.userId)
  const provider = columns.provider === undefined ? "''" : column(columns.provider)
  const { sql, parameters } = conditionsOf(mapping, 2)
  return statement(
    `SELECT ${user} AS userId, ${provider} AS provider, count(*) AS rows FROM ${quoted(table)} source
     WHERE ${user} IN (SELECT value FROM json_each(?1)) AND ${sql} GROUP BY 1, 2`,
    JSON.stringify(userIds),
    ...parameters,
  )
}
