import { type Bindings, bindings } from "./driver.ts"

/** The bindings, where something happens right before D1 runs the first statement that has this in it. */
export const meanwhile = (text: string, happens: () => Promise<unknown>): Bindings => {
  let isDue = true
  const late = (bound: D1PreparedStatement) =>
    new Proxy(bound, {
      get: (target, key) =>
        key === "all"
          ? async () => {
              if (isDue) await happens()
              isDue = false
              return target.all()
            }
          : Reflect.get(target, key),
    })
  const DB = new Proxy(bindings.DB, {
    get: (target, key) => {
      const member: unknown = Reflect.get(target, key)
      if (key !== "prepare") return typeof member === "function" ? member.bind(target) : member
      return (sql: string) => {
        const prepared = target.prepare(sql)
        if (!sql.includes(text)) return prepared
        return { bind: (...values: ReadonlyArray<unknown>) => late(prepared.bind(...values)) }
      }
    },
  })
  return { ...bindings, DB }
}
