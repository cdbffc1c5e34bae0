import { Context, Effect } from "effect"

/** What has been asked of others so far. */
export interface SubrequestCount {
  made: number
}

/**
 * Subrequests of an invocation: requests to providers, calls of D1, and calls of objects and services. Cloudflare ends an invocation, and
 * the instance of a Workflow, that makes more than 10,000 (https://developers.cloudflare.com/workers/platform/limits/#subrequests), so
 * whoever may come near that provides a count of its own, and stops in time. Attempts count, and so do retries.
 */
export const Subrequests = Context.Reference<SubrequestCount>("pollen/Subrequests", {
  defaultValue: () => ({ made: 0 }),
})

/** Runs an effect that counts its own subrequests, from 0. */
export const withOwnCount = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(self, Subrequests, { made: 0 }))

/** Counts what an effect is about to ask, each time that it is run. */
export const countingSubrequest = <A, E, R>(asking: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Subrequests, (count) => {
    count.made += 1
    return asking
  })
