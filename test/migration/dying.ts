import type { Bindings } from "./driver.ts"
import { bindings } from "./driver.ts"

class Killed extends Error {}

const isExecution = new Set<PropertyKey>(["all", "first", "run", "raw"])

/**
 * Bindings for a migrator that dies before its `last` call to D1 or an object, counted from 1, with the answer of the one before it:
 * neither that call nor any that it would make later has an effect.
 */
export const dying = (last: number) => {
  const life = { calls: 0, isOver: false }
  const live = async <A>(call: () => Promise<A>): Promise<A> => {
    if (life.isOver) throw new Killed("dead")
    life.calls++
    if (life.calls < last) return await call()
    life.isOver = true
    throw new Killed("killed")
  }

  const raw = new WeakMap<object, D1PreparedStatement>()
  const wrapStatement = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = new Proxy(statement, {
      get: (target, key) => {
        const member: unknown = Reflect.get(target, key)
        if (typeof member !== "function") return member
        if (key === "bind") return (...values: ReadonlyArray<unknown>) => wrapStatement(target.bind(...values))
        const call = member.bind(target)
        return isExecution.has(key) ? (...args: ReadonlyArray<unknown>) => live(async () => call(...args)) : call
      },
    })
    raw.set(wrapped, statement)
    return wrapped
  }
  const DB = new Proxy(bindings.DB, {
    get: (target, key) => {
      if (key === "prepare") return (sql: string) => wrapStatement(target.prepare(sql))
      if (key === "batch") {
        return (statements: ReadonlyArray<D1PreparedStatement>) =>
          live(() => target.batch(statements.map((statement) => raw.get(statement) ?? statement)))
      }
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  const CORE = new Proxy(bindings.CORE, {
    get: (target, key) => (payload: unknown) => {
      const method: unknown = Reflect.get(target, key)
      return live(async () => (typeof method === "function" ? Reflect.apply(method, target, [payload]) : undefined))
    },
  })
  // Not `method.call`: a method of a stub takes that for the name of another.
  const given: Bindings = { DB, CORE }
  return { life, bindings: given }
}
