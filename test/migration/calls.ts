import { env, exports } from "cloudflare:workers"
import type { MigrationEnv } from "../../src/migration/env.ts"

/** Makes a call of D1 or of an object, or does not. */
export type Call = <A>(invoke: () => Promise<A>) => Promise<A>

/** The bindings of a migrator of which each call to D1 and to an object goes through `call`. */
export const bindingsThrough = (call: Call): Pick<MigrationEnv, "CORE" | "DB"> => {
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>()
  const statement = (original: D1PreparedStatement): D1PreparedStatement => {
    const watched = new Proxy(original, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== "function") return member
        if (name === "bind") return (...values: Array<unknown>) => statement(target.bind(...values))
        return (...parameters: Array<unknown>) => call(() => Reflect.apply(member, target, parameters))
      },
    })
    originals.set(watched, original)
    return watched
  }
  const database = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === "prepare") return (query: string) => statement(target.prepare(query))
      if (name === "batch") {
        return (batch: ReadonlyArray<D1PreparedStatement>) =>
          call(() => target.batch(batch.map((one) => originals.get(one) ?? one)))
      }
      return Reflect.get(target, name, target)
    },
  })
  const core = new Proxy(exports.MigrationEntrypoint, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === "function"
        ? (...parameters: Array<unknown>) => call(() => Promise.resolve(Reflect.apply(member, target, parameters)))
        : member
    },
  })
  return { DB: database, CORE: core }
}
