import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Item } from "../../domain/item.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { FeedCursor } from "../FeedCursor.ts"

const { itemId: _itemId, publishedAt: _publishedAt, sourceId: _sourceId, ...item } = Item.fields

export const FeedItem = Schema.Struct({
  ...item,
  /** The provider's id of the episode or video. */
  externalId: Schema.String,
  /** The show or channel; its title is `null` until it is known. */
  source: Schema.Struct({
    id: Schema.String,
    title: Schema.NullOr(Schema.String),
    imageUrl: Schema.NullOr(Schema.String),
  }),
  /** ISO 8601, UTC; `precision` says how much of it is known. */
  publishedAt: Schema.String,
  /** Epoch milliseconds. */
  publishedAtMs: Schema.Int,
  /** When pollen delivered it: ISO 8601, UTC, and epoch milliseconds. */
  deliveredAt: Schema.String,
  deliveredAtMs: Schema.Int,
  /** Whether the item was there before pollen first looked. */
  isBackfill: Schema.Boolean,
})
export type FeedItem = typeof FeedItem.Type

export class FeedPages extends HttpApiGroup.make("feed")
  .add(
    HttpApiEndpoint.get("readFeed", "/v1/feed", {
      query: {
        /** `next` of the page before. */
        cursor: Schema.optionalKey(FeedCursor),
        limit: Schema.optionalKey(
          Schema.Int.pipe(
            Schema.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { message: "must be 1 to 200" })),
          ),
        ),
      },
      success: Schema.Struct({
        items: Schema.Array(FeedItem),
        /** `null` at the end of the feed. */
        next: Schema.NullOr(FeedCursor),
      }),
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
