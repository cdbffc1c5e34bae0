import { AsyncLocalStorage } from "node:async_hooks"

// What Cloudflare refuses and a workerd on one's own machine does not: https://developers.cloudflare.com/workers/platform/limits/ and
// https://developers.cloudflare.com/workflows/reference/limits/

/** The limits as Cloudflare has them, on the paid plan. */
export const cloudflareLimits = {
  subrequests: 10_000,
  instanceSubrequests: 10_000,
  stepResultBytes: 1024 * 1024,
  chainedInvocations: 32,
}
export type Limits = typeof cloudflareLimits

/** The limits that variables of a local worker set; left out, they are Cloudflare's. */
export const limitsOf = (variables: Readonly<Record<string, unknown>>): Limits => {
  const { LIMIT_SUBREQUESTS, LIMIT_INSTANCE_SUBREQUESTS, LIMIT_CHAINED_INVOCATIONS } = variables
  return {
    ...cloudflareLimits,
    ...(LIMIT_SUBREQUESTS === undefined ? {} : { subrequests: Number(LIMIT_SUBREQUESTS) }),
    ...(LIMIT_INSTANCE_SUBREQUESTS === undefined ? {} : { instanceSubrequests: Number(LIMIT_INSTANCE_SUBREQUESTS) }),
    ...(LIMIT_CHAINED_INVOCATIONS === undefined ? {} : { chainedInvocations: Number(LIMIT_CHAINED_INVOCATIONS) }),
  }
}

/** How many invocations, one calling the next, an invocation is the last of, and how many there may be. */
export interface Chain {
  readonly length: number
  readonly limit: number
}

/** An invocation of a worker, or an instance of a Workflow over all its steps: how many subrequests it has made, of how many. */
export interface Invocation {
  readonly limit: number
  readonly chain: Chain
  made: number
}

const current = new AsyncLocalStorage<Invocation>()

/** The most subrequests that any invocation of this worker has made. */
export const peak = { subrequests: 0 }

/** Counts a subrequest of the invocation under way, and refuses it, in Cloudflare's words, where there are too many. */
export const countSubrequest = (): void => {
  const invocation = current.getStore()
  if (invocation === undefined) return
  invocation.made += 1
  peak.subrequests = Math.max(peak.subrequests, invocation.made)
  if (invocation.made <= invocation.limit) return
  throw new Error(
    "Too many subrequests by single Worker invocation. To configure this limit, refer to https://developers.cloudflare.com/workers/wrangler/configuration/#limits",
  )
}

/**
 * The length of the chain with one invocation more, which the one under way is about to call; `null` where none is. Refuses it, in
 * Cloudflare's words (https://github.com/tldraw/tldraw/pull/5722 has them from production), where the chain would be too long.
 */
export const nextInChain = (): number | null => {
  const chain = current.getStore()?.chain
  if (chain === undefined) return null
  if (chain.length < chain.limit) return chain.length + 1
  throw new Error(
    "Subrequest depth limit exceeded. This request recursed through Workers too many times. This can happen e.g. if you have a Worker or Durable Object that calls other Workers or objects recursively.",
  )
}

/** Runs what an invocation does, so that its subrequests are counted as its own. */
export const within = <A>(invocation: Invocation, work: () => A): A => current.run(invocation, work)

const firstOfChain: Chain = { length: 1, limit: cloudflareLimits.chainedInvocations }

export const newInvocation = (limit: number, chain = firstOfChain): Invocation => ({ limit, chain, made: 0 })
