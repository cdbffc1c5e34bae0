import { env, exports } from "cloudflare:workers"
import type { MigrationEnv } from "../../src/migration/env.ts"

/** What a killed worker gets of everything that it has yet to ask. */
class Killed extends Error {
  override readonly name = "Killed"
}

/**
 * Bindings of a worker that is killed at its `after`th call of D1 or of an object: before the call, or when it has taken effect and
 * its answer is on the way (`isAnswerLost`). Nothing that the worker asks from then on happens.
 */
export const mortal = (after: number, isAnswerLost: boolean): Pick<MigrationEnv, "CORE" | "DB"> => {
  let calls = 0
  const live = async <A>(invoke: () => Promise<A>): Promise<A> => {
    calls += 1
    if (calls > after || (calls === after && !isAnswerLost)) throw new Killed("killed")
    const answer = await invoke()
    if (calls >= after) throw new Killed("killed, with the answer on the way")
    return answer
  }
  const originals = new WeakMap<D1PreparedStatement, D1PreparedStatement>()
  const statement = (original: D1PreparedStatement): D1PreparedStatement => {
    const watched = new Proxy(original, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (typeof member !== "function") return member
        if (name === "bind") return (...values: Array<unknown>) => statement(target.bind(...values))
        return (...parameters: Array<unknown>) => live(() => Reflect.apply(member, target, parameters))
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
          live(() => target.batch(batch.map((one) => originals.get(one) ?? one)))
      }
      return Reflect.get(target, name, target)
    },
  })
  const core = new Proxy(exports.MigrationEntrypoint, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === "function"
        ? (...parameters: Array<unknown>) => live(() => Promise.resolve(Reflect.apply(member, target, parameters)))
        : member
    },
  })
  return { DB: database, CORE: core }
}
