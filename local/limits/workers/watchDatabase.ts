/** Called with statements, in SQL, when they are sent. */
type Tell = (statements: ReadonlyArray<string>) => void

interface Original {
  readonly statement: D1PreparedStatement
  readonly sql: string
}

const originals = new WeakMap<D1PreparedStatement, Original>()
const sends: ReadonlySet<string | symbol> = new Set(["first", "run", "all", "raw"])

const watchStatement = (statement: D1PreparedStatement, sql: string, tell: Tell): D1PreparedStatement => {
  const watched = new Proxy(statement, {
    get: (target, name) => {
      if (name === "bind") return (...values: Array<unknown>) => watchStatement(target.bind(...values), sql, tell)
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== "function") return member
      return (...parameters: Array<unknown>): unknown => {
        if (sends.has(name)) tell([sql])
        return Reflect.apply(member, target, parameters)
      }
    },
  })
  originals.set(watched, { statement, sql })
  return watched
}

/** A D1 binding that tells of every statement sent through it, each one of a batch by itself. */
export const watchDatabase = (database: D1Database, tell: Tell): D1Database =>
  new Proxy(database, {
    get: (target, name) => {
      if (name === "prepare") return (sql: string) => watchStatement(target.prepare(sql), sql, tell)
      if (name === "batch") {
        return (batch: ReadonlyArray<D1PreparedStatement>) => {
          tell(batch.map((statement) => originals.get(statement)?.sql ?? ""))
          return target.batch(batch.map((statement) => originals.get(statement)?.statement ?? statement))
        }
      }
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== "function") return member
      // `exec`, and methods that D1 may get later: counted rather than missed.
      return (...parameters: Array<unknown>): unknown => {
        tell([typeof parameters[0] === "string" ? parameters[0] : ""])
        return Reflect.apply(member, target, parameters)
      }
    },
  })
