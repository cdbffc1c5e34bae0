import { nextInChain } from "./Invocation.ts"

// AsyncLocalStorage ends where a call leaves its worker, so that a call itself says how long the chain is: as one parameter more, which
// whatever is called takes off again.

type Parameters = ReadonlyArray<unknown>

interface Link {
  readonly chainedInvocations: number
}

const isLink = (parameter: unknown): parameter is Link =>
  typeof parameter === "object" && parameter !== null && "chainedInvocations" in parameter

/** The parameters of a call of a service or an object, with the length of the chain. Refuses a call that makes it too long. */
export const chained = (parameters: Parameters): Parameters => {
  const chainedInvocations = nextInChain()
  return chainedInvocations === null ? parameters : [...parameters, { chainedInvocations } satisfies Link]
}

/** Takes the length of the chain off the parameters of a call; 1 where it has none, because nobody under the limits called. */
export const unchained = (parameters: Parameters): { readonly parameters: Parameters; readonly length: number } => {
  const last = parameters.at(-1)
  return isLink(last)
    ? { parameters: parameters.slice(0, -1), length: last.chainedInvocations }
    : { parameters, length: 1 }
}
