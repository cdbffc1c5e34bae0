import type { Effect, Redacted } from "effect"
import type { ItemKind, ListedItem } from "../domain/item.ts"
import type { Provider } from "../domain/provider.ts"
import type { Source } from "../domain/subscription.ts"
import type { RequestError } from "./error.ts"

/** Where a provider is, and which application asks. */
export interface ProviderEndpoints {
  readonly apiUrl: string
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
}

/** Which page to read (`null`: the first), and the entity tag it had. */
export interface PageRequest {
  readonly key: string | null
  readonly etag: string | null
}

/** 304: the page is as it was. */
export interface NotModified {
  readonly isModified: false
}

/** A page of entries. `next` is the key of the page after it, `null` on the last. */
export interface Page<A> {
  readonly isModified: true
  readonly entries: ReadonlyArray<A>
  readonly etag: string | null
  readonly next: string | null
  /** How many entries the page held, unreadable ones included. */
  readonly size: number
  /** How many entries there are in all, as the provider says. */
  readonly total: number | null
}

export type AccessToken = Redacted.Redacted<string>

/** What pollen needs of a provider. Every method is one request per page, and nothing else. */
export interface ProviderClient {
  readonly provider: Provider
  /** What this provider's items are. */
  readonly kind: ItemKind
  /** Where a person plays an item of which only the id is known. */
  readonly itemUrl: (itemId: string) => string
  /** Whether the totals of pages are exact. Others are good for nothing but to tell that a listing has moved. */
  readonly isTotalExact: boolean
  /** What the person follows: 50 sources a page. */
  readonly library: (token: AccessToken, page: PageRequest) => Effect.Effect<Page<Source> | NotModified, RequestError>
  /** A source's items, newest first: 50 a page. */
  readonly items: (
    token: AccessToken,
    sourceId: string,
    page: PageRequest,
  ) => Effect.Effect<Page<ListedItem> | NotModified, RequestError>
  /**
   * Looks items up by id and completes them with what their listing lacks: one request for 50. Items that no longer exist become
   * `withheld`. `null` where a listing has everything, and nothing but a listing tells whether an item can be played.
   */
  readonly describe:
    | ((token: AccessToken, items: ReadonlyArray<ListedItem>) => Effect.Effect<ReadonlyArray<ListedItem>, RequestError>)
    | null
  /** The cheapest question that shows whether a token works. */
  readonly validate: (token: AccessToken) => Effect.Effect<void, RequestError>
}
