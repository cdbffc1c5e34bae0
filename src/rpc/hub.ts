import { Schema } from "effect"
import { ListedItem } from "../domain/item.ts"
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

/** The newest items of a source, as somebody's object has read them for itself. */
export const SharedListing = Schema.Struct({
  items: Schema.Array(ListedItem),
  /** Number of items in all, as the provider says. */
  total: Schema.Int,
  /** Whether these are all. */
  isWhole: Schema.Boolean,
  /** Epoch milliseconds. */
  readAt: Schema.Int,
})
export type SharedListing = typeof SharedListing.Type

const source = { provider: Provider, sourceId: Schema.String }

/** Asks for the newest listing of a source that anybody has read; `null` where there is none since `after` (epoch milliseconds). */
export const FindListing = contract("findListing", {
  payload: Schema.Struct({ ...source, after: Schema.Int }),
  success: Schema.Struct({ listing: Schema.NullOr(SharedListing) }),
  error: Schema.Never,
  idempotent: true,
})

/** Lets others have a listing that has been read. A later one stays. */
export const ShareListing = contract("shareListing", {
  payload: Schema.Struct({ ...source, listing: SharedListing }),
  success: Schema.Struct({}),
  error: Schema.Never,
  idempotent: true,
})

/** The hubs, as a person's object is bound to them. */
export interface HubNamespace {
  readonly idFromName: (name: string) => DurableObjectId
  readonly get: (id: DurableObjectId) => {
    readonly watch: (wire: Wire<typeof Watch>) => PromiseLike<Reply<"watch">>
    readonly findListing: (wire: Wire<typeof FindListing>) => PromiseLike<Reply<"findListing">>
    readonly shareListing: (wire: Wire<typeof ShareListing>) => PromiseLike<Reply<"shareListing">>
  }
}
