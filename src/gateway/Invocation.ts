import { Context } from "effect"

/** Keeps the worker running until something has settled, whether or not the client is still there. Never rejects. */
export type KeepAlive = (work: PromiseLike<unknown>) => void

/** The one run of the worker that a request belongs to. */
export class Invocation extends Context.Service<Invocation, { readonly keepAlive: KeepAlive }>()(
  "pollen/gateway/Invocation",
) {}

const ignore = () => undefined

export const invocation = (context: ExecutionContext): Context.Context<Invocation> =>
  Context.make(Invocation, {
    // Whoever awaits the work hears of its failure; here it would only be logged a second time.
    keepAlive: (work) => context.waitUntil(Promise.resolve(work).then(ignore, ignore)),
  })
