import { Schema } from "effect"
import { Provider } from "./provider.ts"
import { cut, longestTitle, webAddress } from "./text.ts"

/** What is shown of a show or channel. */
export const SourceDetails = Schema.Struct({
  title: Schema.String,
  url: Schema.String,
  imageUrl: Schema.NullOr(Schema.String),
})
export type SourceDetails = typeof SourceDetails.Type

/** Details as they are kept and delivered: the title is cut, and addresses are of the web. */
export const toDetails = ({ title, url, imageUrl }: SourceDetails): SourceDetails => ({
  title: cut(title, longestTitle),
  url: webAddress(url) ?? "",
  imageUrl: webAddress(imageUrl),
})

/** Whether two sources are shown alike. */
export const hasSameDetails = (one: SourceDetails, other: SourceDetails): boolean =>
  one.title === other.title && one.url === other.url && one.imageUrl === other.imageUrl

/** Stands, in D1's cursors, for an item count that cannot be relied on: the source has published without its count going up. */
export const unreliableCount = -1

/** A show or a channel, as the provider lists it among what a person follows. */
export interface Source extends SourceDetails {
  readonly sourceId: string
  /** Number of items, as the provider says. A change means that something is new; no change proves nothing. */
  readonly itemCount: number | null
}

/** `active`: polled. `gone`: the provider says it no longer exists. `empty`: it has no list of items (yet). */
const SubscriptionState = Schema.Literals(["active", "gone", "empty"])

/** One thing a person follows, as `listSubscriptions` shows it. Times are epoch milliseconds. */
export const Subscription = Schema.Struct({
  provider: Provider,
  sourceId: Schema.String,
  ...SourceDetails.fields,
  state: SubscriptionState,
  /** When the source is checked next. */
  dueAt: Schema.Int,
  /** Time between checks, in milliseconds. */
  intervalMs: Schema.Int,
  polledAt: Schema.NullOr(Schema.Int),
  /** Publication time of the newest item known. */
  publishedAt: Schema.NullOr(Schema.Int),
  /** Failed attempts in a row. */
  failures: Schema.Int,
  /** Why the last attempt failed, in words; `null` when it did not. */
  reason: Schema.NullOr(Schema.String),
})
export type Subscription = typeof Subscription.Type

/** Where a page of subscriptions ended. Objects and D1 list them by provider and source id. */
export const SubscriptionCursor = Schema.fromJsonString(Schema.Tuple([Provider, Schema.String]))
