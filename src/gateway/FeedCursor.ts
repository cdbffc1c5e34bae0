import { Schema } from "effect"
import { stableHash } from "../domain/hash.ts"
import { Provider } from "../domain/provider.ts"
import type { UserId } from "../domain/user.ts"

/** Where in a feed the page before ended: publication time (epoch milliseconds), provider and item id of its last item. */
const PublishedPosition = Schema.Tuple([Schema.Int, Provider, Schema.String])

/**
 * The same in the order of arrival: the item's place in it, and then as above, since items that arrive in one moment share a place. The
 * last part stands for the person: a place in somebody else's feed means nothing.
 */
export const ArrivedPosition = Schema.Tuple([Schema.Int, Schema.Int, Provider, Schema.String, Schema.Int])
export type ArrivedPosition = typeof ArrivedPosition.Type

/**
 * A position in a feed as it travels: base64url of JSON, opaque to clients. It is good for ever.
 * Names an item and not a number of items, so that what arrives meanwhile neither repeats nor hides anything.
 */
const travelling = <S extends Schema.Codec<unknown, Schema.Json>>(position: S) =>
  Schema.StringFromBase64Url.pipe(Schema.decodeTo(Schema.fromJsonString(position)))

/** A position in the order of arrival, as `since` and `until` are. */
export const ArrivedCursor = travelling(ArrivedPosition)

/** A position in either order. */
export const FeedCursor = travelling(Schema.Union([ArrivedPosition, PublishedPosition]))
export type FeedCursor = typeof FeedCursor.Type

export const isArrived = (cursor: FeedCursor): cursor is ArrivedPosition => cursor.length === 5

/** What stands for a person in their cursors. */
export const ownerOf = (userId: UserId): number => stableHash(`pollen:feed:${userId}`)

/** Before everything that has ever arrived. */
export const beginning = (userId: UserId): ArrivedPosition => [-1, 0, "spotify", "", ownerOf(userId)]
