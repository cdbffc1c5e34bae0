import { Effect, Schema } from "effect"
import { Store } from "../object/Store.ts"
import { SharedListing } from "../rpc/hub.ts"
import * as statements from "./statements.ts"

// Listings that one follower's object has read with that person's grant, for the objects of all others. Nobody is named in them.

/** How long a listing is kept after it was read, in milliseconds: 30 days. */
export const keptMs = 30 * 24 * 3_600_000

const listingJson = Schema.fromJsonString(SharedListing)
const decode = Schema.decodeEffect(listingJson)
const encode = Schema.encodeSync(listingJson)

/** Finds the listing of a source, if it was read after this (epoch milliseconds). */
export const findListing = Effect.fn("hub.findListing")(function* (sourceId: string, after: number) {
  const { rows } = yield* Store
  const [row] = rows<{ listing: string }>(statements.selectListing, sourceId, after)
  // One of an earlier version that cannot be read is as good as none.
  return row === undefined ? null : yield* Effect.catch(decode(row.listing), () => Effect.succeed(null))
})

/** Keeps a listing for others. */
export const shareListing = Effect.fn("hub.shareListing")(function* (sourceId: string, listing: SharedListing) {
  const { exec, alarmAt, setAlarm } = yield* Store
  exec(statements.insertListing, sourceId, encode(listing), listing.readAt)
  if ((yield* alarmAt) === null) yield* setAlarm(listing.readAt + keptMs + 1)
})
