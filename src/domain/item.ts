import { Schema } from "effect"
import { Provider } from "./provider.ts"
import { cut, longestTitle } from "./text.ts"

const ItemKind = Schema.Literals(["episode", "video"])
export type ItemKind = typeof ItemKind.Type

/** Precision of a publication time: Spotify gives no time of day, and sometimes only a month or a year. */
export const Precision = Schema.Literals(["year", "month", "day", "instant"])
export type Precision = typeof Precision.Type

/**
 * Availability of an item to the person, now.
 * `available` and `live` are delivered. `upcoming` and `unplayable` wait in the object until that changes.
 * `withheld` (private or deleted) is neither delivered nor remembered.
 */
export const Availability = Schema.Literals(["available", "live", "upcoming", "unplayable", "withheld"])
export type Availability = typeof Availability.Type

/** An episode or a video, as it is delivered. */
export const Item = Schema.Struct({
  provider: Provider,
  /** The provider's id of the episode or video. */
  itemId: Schema.String,
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

/** An item as a provider lists it, with the fields that decide whether it is delivered. */
export interface ListedItem extends Item {
  readonly availability: Availability
  /** When an upcoming item is due to start: epoch milliseconds, if the provider says so. */
  readonly startsAt: number | null
}

export const isDeliverable = ({ availability }: ListedItem): boolean =>
  availability === "available" || availability === "live"

/** Longest texts delivered, in UTF-16 code units: enough for a feed, and far below D1's 2 MB for a row. */
const longest = { title: longestTitle, url: 2000, description: 2000 }

/** A listed item as it is delivered. */
export const toItem = ({ availability: _availability, startsAt: _startsAt, ...item }: ListedItem): Item => ({
  ...item,
  title: cut(item.title, longest.title),
  description: cut(item.description, longest.description),
  url: cut(item.url, longest.url),
  imageUrl: item.imageUrl === null ? null : cut(item.imageUrl, longest.url),
})
