import type { D1Counts } from "../operations.ts"

type Mutable<A> = { -readonly [Key in keyof A]: A[Key] }

export const newCounts = (): Mutable<D1Counts> => ({
  queries: 0,
  rowsWritten: 0,
  unmetered: 0,
  arrivals: 0,
  starts: 0,
})

/** A property of what a proxy stands for; methods keep their own `this`. */
const passed = (target: object, property: string | symbol): unknown => {
  const value: unknown = Reflect.get(target, property)
  return typeof value === "function" ? value.bind(target) : value
}

/** A D1 binding that counts at the outermost edge, before anything of pollen could have counted for itself. */
export const countedDatabase = (database: D1Database, counts: Mutable<D1Counts>): D1Database => {
  const originals = new WeakMap<object, D1PreparedStatement>()
  const metered = <R extends D1Result>(result: R): R => {
    counts.queries += 1
    counts.rowsWritten += result.meta.rows_written
    return result
  }
  const statement = (original: D1PreparedStatement): D1PreparedStatement => {
    const counted = new Proxy(original, {
      get: (target, property) => {
        if (property === "bind") return (...values: Array<unknown>) => statement(target.bind(...values))
        if (property === "run" || property === "all") return async () => metered(await target[property]())
        if (property === "first" || property === "raw") {
          counts.queries += 1
          counts.unmetered += 1
        }
        return passed(target, property)
      },
    })
    originals.set(counted, original)
    return counted
  }
  return new Proxy(database, {
    get: (target, property) => {
      if (property === "prepare") return (sql: string) => statement(target.prepare(sql))
      if (property === "batch") {
        return async (statements: ReadonlyArray<D1PreparedStatement>) => {
          const results = await target.batch(statements.map((one) => originals.get(one) ?? one))
          return results.map(metered)
        }
      }
      if (property === "exec" || property === "withSession" || property === "dump") {
        counts.queries += 1
        counts.unmetered += 1
      }
      return passed(target, property)
    },
  })
}
