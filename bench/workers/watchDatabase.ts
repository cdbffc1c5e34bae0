/** Told of statements at the moment they are sent. */
type Count = (executed: number) => void

const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>()
const sends: ReadonlySet<string | symbol> = new Set(["first", "run", "all", "raw"])

const watchStatement = (statement: D1PreparedStatement, count: Count): D1PreparedStatement => {
  const watched = new Proxy(statement, {
    get: (target, name) => {
      if (name === "bind") return (...values: Array<unknown>) => watchStatement(target.bind(...values), count)
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== "function") return member
      return (...parameters: Array<unknown>): unknown => {
        if (sends.has(name)) count(1)
        return Reflect.apply(member, target, parameters)
      }
    },
  })
  originals.set(watched, statement)
  return watched
}

/** A D1 binding that counts every statement sent through it, each one of a batch by itself. */
export const watchDatabase = (database: D1Database, count: Count): D1Database =>
  new Proxy(database, {
    get: (target, name) => {
      if (name === "prepare") return (query: string) => watchStatement(target.prepare(query), count)
      if (name === "batch") {
        return (batch: ReadonlyArray<D1PreparedStatement>) => {
          count(batch.length)
          return target.batch(batch.map((statement) => originals.get(statement) ?? statement))
        }
      }
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== "function") return member
      // `exec`, and whatever D1 may learn later: better counted once too often than missed.
      return (...parameters: Array<unknown>): unknown => {
        count(1)
        return Reflect.apply(member, target, parameters)
      }
    },
  })
