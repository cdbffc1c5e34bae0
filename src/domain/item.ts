import { Schema } from "effect"
import { Provider } from "./provider.ts"

const ItemKind = Schema.Literals(["episode", "video"])

/** How exactly a publication time is known: Spotify gives no time of day, and sometimes only a month or a year. */
export const Precision = Schema.Literals(["year", "month", "day", "instant"])
export type Precision = typeof Precision.Type

/**
 * Whether a person can play the item now.
 * `available` and `live` are delivered. `upcoming` and `unplayable` wait in the object until that changes.
 * `withheld` (private or deleted) is neither delivered nor remembered.
 */
export const Availability = Schema.Literals(["available", "live", "upcoming", "unplayable", "withheld"])
export type Availability = typeof Availability.Type

/** An episode or a video, as it is delivered. */
export const Item = Schema.Struct({
  provider: Provider,
  /** The provider's id of the episode or video. */
  externalId: Schema.String,
  /** The provider's id of the show or channel. */
  sourceId: Schema.String,
  kind: ItemKind,
  title: Schema.String,
  description: Schema.String,
  url: Schema.String,
  imageUrl: Schema.NullOr(Schema.String),
  /** Epoch milliseconds; the first moment of the period where `precision` is coarser than `instant`. */
  publishedAt: Schema.Int,
  precision: Precision,
  /** Milliseconds; `null` while a stream is live. */
  durationMs: Schema.NullOr(Schema.Int),
  isLive: Schema.Boolean,
})
export type Item = typeof Item.Type

/** An item as a provider lists it, with what decides whether it is delivered. */
export interface ListedItem extends Item {
  readonly availability: Availability
  /** When an upcoming item is due to start: epoch milliseconds, if the provider says so. */
  readonly startsAt: number | null
}
