import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Item, ItemKind } from "../../domain/item.ts"
import { Provider } from "../../domain/provider.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { ArrivedCursor, FeedCursor } from "../FeedCursor.ts"

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

const FeedOrder = Schema.Literals(["arrived", "published"])

/** What of a feed is wanted. */
export const FeedParameters = Schema.Struct({
  /**
   * `arrived` (unless told): the last to arrive first. `published`: by publication date, the latest first. A `cursor` brings its own
   * order.
   */
  order: Schema.optionalKey(FeedOrder),
  /** `next` of the page before. */
  cursor: Schema.optionalKey(FeedCursor),
  /** `since` of an earlier answer: what has arrived after it, the first to arrive first. */
  since: Schema.optionalKey(ArrivedCursor),
  /** `since` of an earlier answer: nothing that has arrived after it. */
  until: Schema.optionalKey(ArrivedCursor),
  provider: Schema.optionalKey(Provider),
  /** The id of a show or a channel. */
  source: Schema.optionalKey(Schema.String.pipe(Schema.check(Schema.isMaxLength(200)))),
  kind: Schema.optionalKey(ItemKind),
  /** Whether items that were there before pollen first looked: `true` or `false`; both unless told. */
  backfill: Schema.optionalKey(Schema.Literals(["true", "false"])),
  limit: Schema.optionalKey(
    Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 1, maximum: 200 }, { message: "must be 1 to 200" }))),
  ),
})
export type FeedParameters = typeof FeedParameters.Type

export class FeedPages extends HttpApiGroup.make("feed")
  .add(
    HttpApiEndpoint.get("readFeed", "/v1/feed", {
      query: FeedParameters.fields,
      success: Schema.Struct({
        items: Schema.Array(FeedItem),
        /** The cursor of the next page; `null` at the end. A page may have fewer items than `limit`, and a next one. */
        next: Schema.NullOr(FeedCursor),
        /** What to give as `since` later, for what arrives from now on; `null` on pages that lead back. It is good for ever. */
        since: Schema.NullOr(ArrivedCursor),
      }),
      error: [problemDocument(400), problemDocument(503)],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
