import { Schema } from "effect"
import { Provider } from "./provider.ts"
import { cut, longestTitle, webAddress } from "./text.ts"

export const ItemKind = Schema.Literals(["episode", "video"])
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
export const ListedItem = Schema.Struct({
  ...Item.fields,
  availability: Availability,
  /** When an upcoming item is due to start: epoch milliseconds, if the provider says so. */
  startsAt: Schema.NullOr(Schema.Int),
})
export type ListedItem = typeof ListedItem.Type

export const isDeliverable = ({ availability }: ListedItem): boolean =>
  availability === "available" || availability === "live"

/** Longest description delivered, in UTF-16 code units: enough for a feed, and far below D1's 2 MB for a row. */
const longestDescription = 2000

/** Longest duration believed, in milliseconds: a year. */
const longestDurationMs = 366 * 86_400_000

/** Latest publication time, in epoch milliseconds: the last that ISO 8601 writes with four digits of a year. */
const latestPublishedAt = Date.UTC(9999, 11, 31)

/** An item, or a row of one, with every field bounded: whatever a provider says, it can be stored, listed and shown. */
export const bounded = <
  A extends Pick<Item, "title" | "description" | "url" | "imageUrl" | "publishedAt" | "durationMs">,
>(
  item: A,
): A => ({
  ...item,
  title: cut(item.title, longestTitle),
  description: cut(item.description, longestDescription),
  url: webAddress(item.url) ?? "",
  imageUrl: webAddress(item.imageUrl),
  publishedAt: Math.min(latestPublishedAt, Math.max(0, Math.round(item.publishedAt))),
  durationMs:
    item.durationMs !== null && item.durationMs >= 0 && item.durationMs <= longestDurationMs
      ? Math.round(item.durationMs)
      : null,
})

/** A listed item as it is delivered. Bounded only here: most of what a provider lists is known and goes nowhere. */
export const toItem = ({ availability: _availability, startsAt: _startsAt, ...item }: ListedItem): Item => bounded(item)
