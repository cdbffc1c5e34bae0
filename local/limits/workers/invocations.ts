import { env } from "cloudflare:workers"
import { unchained } from "./chain.ts"
import { limitsOf, newInvocation, within } from "./Invocation.ts"

export const limits = limitsOf({ ...env })

/** Runs one invocation of a worker under its limits: the one that a chain begins with, unless told. */
export const invocation = <A>(work: () => A, length = 1): A =>
  within(newInvocation(limits.subrequests, { length, limit: limits.chainedInvocations }), work)

/** What is called from inside, and is no invocation of its own. */
const inner: ReadonlySet<string> = new Set(["constructor", "serve", "layer"])

/** Makes each method that a class inherits an invocation of its own, as each call of an entrypoint or an object is. */
export const eachIsAnInvocation = ({ prototype }: { readonly prototype: object }): void => {
  const live: object = Object.getPrototypeOf(prototype)
  for (const name of Object.getOwnPropertyNames(live)) {
    const member: unknown = Reflect.get(live, name)
    if (inner.has(name) || typeof member !== "function") continue
    const value = function (this: unknown, ...given: ReadonlyArray<unknown>): unknown {
      const { parameters, length } = unchained(given)
      return invocation(() => Reflect.apply(member, this, parameters), length)
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
