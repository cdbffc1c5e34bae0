import { AsyncLocalStorage } from "node:async_hooks"

/** One call of an object, or one alarm of it, as far as the platform counts and ends them. */
interface Invocation {
  /** Ends the object at once: what it was doing never goes on. */
  readonly die: () => void
  subrequests: number
}

const underway = new AsyncLocalStorage<Invocation>()

/** The invocation in which this runs; `undefined` outside every object. */
export const currentInvocation = () => underway.getStore()

interface Class {
  readonly prototype: object
}

/** Has each method of a class of objects, and the alarm, run as an {@link Invocation}. */
export const asInvocations = (objects: Class, stateOf: (instance: object) => DurableObjectState | undefined) => {
  const named = new Map<string, PropertyDescriptor>()
  for (let at: object = objects.prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    // What the platform's own class has is not for us to change.
    if (Object.hasOwn(at, "constructor") && at.constructor.name === "DurableObject") break
    for (const [name, found] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (!named.has(name)) named.set(name, found)
    }
  }
  for (const [name, { value }] of named) {
    if (name === "constructor" || name === "layer" || typeof value !== "function") continue
    Object.defineProperty(objects.prototype, name, {
      configurable: true,
      writable: true,
      value(this: object, ...parameters: ReadonlyArray<unknown>) {
        const invocation = { die: () => stateOf(this)?.abort("gone"), subrequests: 0 }
        return underway.run(invocation, () => Reflect.apply(value, this, parameters))
      },
    })
  }
}
