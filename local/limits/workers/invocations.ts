import { env } from "cloudflare:workers"
import { limitsOf, newInvocation, within } from "./Invocation.ts"

export const limits = limitsOf({ ...env })

/** Runs one invocation of a worker under its limit. */
export const invocation = <A>(work: () => A): A => within(newInvocation(limits.subrequests), work)

/** What is called from inside, and is no invocation of its own. */
const inner: ReadonlySet<string> = new Set(["constructor", "serve", "layer"])

/** Makes each method that a class inherits an invocation of its own, as each call of an entrypoint or an object is. */
export const eachIsAnInvocation = ({ prototype }: { readonly prototype: object }): void => {
  const live: object = Object.getPrototypeOf(prototype)
  for (const name of Object.getOwnPropertyNames(live)) {
    const member: unknown = Reflect.get(live, name)
    if (inner.has(name) || typeof member !== "function") continue
    const value = function (this: unknown, ...parameters: ReadonlyArray<unknown>): unknown {
      return invocation(() => Reflect.apply(member, this, parameters))
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
