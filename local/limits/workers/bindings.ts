import { chained } from "./chain.ts"
import { countSubrequest } from "./Invocation.ts"
import { watchDatabase } from "./watchDatabase.ts"

type Callable = (...parameters: ReadonlyArray<unknown>) => unknown

const isCallable = (member: unknown): member is Callable => typeof member === "function"

/** Parameters of a call as they are: what is called is no invocation of a worker. */
const asTheyAre = (parameters: ReadonlyArray<unknown>): ReadonlyArray<unknown> => parameters

/** A binding of which every method that is called is a subrequest. */
const counted = <Binding extends object>(binding: Binding, toSend = asTheyAre): Binding =>
  new Proxy(binding, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (!isCallable(member)) return member
      // A promise's `then` is none, and neither is what disposes of a stub.
      if (typeof name === "symbol" || name === "then" || name === "dup") return member
      return (...parameters: ReadonlyArray<unknown>) => {
        countSubrequest()
        // `fetch` of a service has no room for it; pollen's workers call methods alone.
        return Reflect.apply(member, target, name === "fetch" ? parameters : toSend(parameters))
      }
    },
  })

const countedNamespaces = new WeakMap<object, object>()

/** A namespace of objects: getting a stub asks nobody, and what a stub is asked counts. One for all objects, as the platform's own is. */
const countedNamespace = (namespace: object): object => {
  const known = countedNamespaces.get(namespace)
  if (known !== undefined) return known
  const made = new Proxy(namespace, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (!isCallable(member)) return member
      const isStub = name === "get" || name === "getByName"
      return (...parameters: ReadonlyArray<unknown>) => {
        const found: unknown = Reflect.apply(member, target, parameters)
        return isStub && typeof found === "object" && found !== null ? counted(found, chained) : found
      }
    },
  })
  countedNamespaces.set(namespace, made)
  return made
}

// Not by its members: a service says of every name that it has it.
const isService = (binding: object): boolean => Object.prototype.toString.call(binding) === "[object Fetcher]"

const isDatabase = (binding: object): binding is D1Database => "prepare" in binding && "batch" in binding

/** The bindings as they are, but that each call through them is counted. */
export const limitBindings = <Env extends object>(env: Env): Env => {
  const limited = Object.entries(env).map(([name, binding]: [string, unknown]): [string, unknown] => {
    if (typeof binding !== "object" || binding === null) return [name, binding]
    if (isService(binding)) return [name, counted(binding, chained)]
    if (isDatabase(binding)) return [name, watchDatabase(binding, countSubrequest)]
    return [name, "idFromName" in binding ? countedNamespace(binding) : counted(binding)]
  })
  return Object.assign({ ...env }, Object.fromEntries(limited))
}

/** Counts what `fetch` is asked from now on. */
export const limitFetch = (): void => {
  const ask = globalThis.fetch
  globalThis.fetch = (...parameters: Parameters<typeof fetch>) => {
    countSubrequest()
    return ask(...parameters)
  }
}
