import { Schema } from "effect"
import { Provider } from "../domain/provider.ts"
import { contract, type Reply, type Wire } from "./contract.ts"

/** Most sources of one call. */
export const watchedAtOnce = 200

/**
 * Asks a hub to look after public sources for all who follow them. Of a source that `isWatched`, everything that the hub comes to know
 * after the answer is written to the feed of whoever follows it in D1 by then. `isNew`: the hub has not known it before, so that what
 * appeared until now is the caller's to find. `found`: items that a look on this request found.
 */
export const Watch = contract("watch", {
  payload: Schema.Struct({
    provider: Provider,
    sourceIds: Schema.Array(Schema.String).pipe(Schema.check(Schema.isMaxLength(watchedAtOnce))),
    /** Whether sources that the hub knows are looked at now, as far as that is not too soon. */
    isRequested: Schema.Boolean,
  }),
  success: Schema.Struct({
    sources: Schema.Array(
      Schema.Struct({
        sourceId: Schema.String,
        isWatched: Schema.Boolean,
        isNew: Schema.Boolean,
        found: Schema.Int,
      }),
    ),
  }),
  error: Schema.Never,
  idempotent: true,
})

/** The hubs, as a person's object is bound to them. */
export interface HubNamespace {
  readonly idFromName: (name: string) => DurableObjectId
  readonly get: (id: DurableObjectId) => { readonly watch: (wire: Wire<typeof Watch>) => PromiseLike<Reply<"watch">> }
}
