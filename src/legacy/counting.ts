/** Wraps D1 and calls back for every prepared statement that names a token column. */
export const countingTokens = (database: D1Database, onStatement: () => void): D1Database =>
  new Proxy(database, {
    get: (target, key) => {
      if (key === "prepare") {
        return (sql: string) => {
          if (/\b(access|refresh)_token\b/.test(sql)) onStatement()
          return target.prepare(sql)
        }
      }
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
