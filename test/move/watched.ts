import { env } from "cloudflare:workers"

/** D1, with a note of every statement, and of every trip to it. */
export const watched = (
  options: { readonly failingBatches?: number; readonly onStatement?: (sql: string) => void } = {},
) => {
  const statements: Array<string> = []
  let failing = options.failingBatches ?? 0
  let resolvers: Array<{ readonly count: number; readonly resolve: () => void }> = []
  const database = new Proxy(env.DB, {
    get: (target, key) => {
      if (key === "prepare") {
        return (sql: string) => {
          statements.push(sql)
          options.onStatement?.(sql)
          resolvers = resolvers.filter(({ count, resolve }) => statements.length < count || void resolve())
          return target.prepare(sql)
        }
      }
      if (key === "batch" && failing > 0) {
        return () => {
          failing--
          return Promise.reject(new Error("D1 is down"))
        }
      }
      const member: unknown = Reflect.get(target, key)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
  /** Returns as soon as so many statements more have been prepared. */
  const more = (count: number) =>
    new Promise<void>((resolve) => {
      resolvers.push({ count: statements.length + count, resolve })
    })
  return { database, statements, more }
}
