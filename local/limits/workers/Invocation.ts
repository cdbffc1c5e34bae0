import { AsyncLocalStorage } from "node:async_hooks"

// What Cloudflare refuses and a workerd on one's own machine does not: https://developers.cloudflare.com/workers/platform/limits/ and
// https://developers.cloudflare.com/workflows/reference/limits/

/** The limits as Cloudflare has them, on the paid plan. */
export const cloudflareLimits = { subrequests: 10_000, instanceSubrequests: 10_000, stepResultBytes: 1024 * 1024 }
export type Limits = typeof cloudflareLimits

/** The limits that variables of a local worker set; left out, they are Cloudflare's. */
export const limitsOf = (variables: Readonly<Record<string, unknown>>): Limits => {
  const { LIMIT_SUBREQUESTS, LIMIT_INSTANCE_SUBREQUESTS } = variables
  return {
    ...cloudflareLimits,
    ...(LIMIT_SUBREQUESTS === undefined ? {} : { subrequests: Number(LIMIT_SUBREQUESTS) }),
    ...(LIMIT_INSTANCE_SUBREQUESTS === undefined ? {} : { instanceSubrequests: Number(LIMIT_INSTANCE_SUBREQUESTS) }),
  }
}

/** An invocation of a worker, or an instance of a Workflow over all its steps: how many subrequests it has made, of how many. */
export interface Invocation {
  readonly limit: number
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

/** Runs what an invocation does, so that its subrequests are counted as its own. */
export const within = <A>(invocation: Invocation, work: () => A): A => current.run(invocation, work)

export const newInvocation = (limit: number): Invocation => ({ limit, made: 0 })
