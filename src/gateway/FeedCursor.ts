import { Schema } from "effect"
import { Provider } from "../domain/provider.ts"

/** Where in a feed the page before ended: publication time (epoch milliseconds), provider and item id of its last item. */
export const FeedPosition = Schema.Tuple([Schema.Int, Provider, Schema.String])

/**
 * A position in a feed as it travels: base64url of JSON, opaque to clients.
 * Names an item and not a number of items, so that what arrives meanwhile neither repeats nor hides anything.
 */
export const FeedCursor = Schema.StringFromBase64Url.pipe(Schema.decodeTo(Schema.fromJsonString(FeedPosition)))
export type FeedCursor = typeof FeedCursor.Type
