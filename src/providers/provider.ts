import type { Effect, Redacted } from "effect"
import type { ItemKind, ListedItem } from "../domain/item.ts"
import type { Provider } from "../domain/provider.ts"
import type { Source } from "../domain/subscription.ts"
import type { RequestError } from "./error.ts"

/** An OAuth client of the application: a refresh token works with the one alone that it was issued to (RFC 6749, 6). */
export interface ClientRegistration {
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted<string>
}

/** A provider's addresses, and the application's registrations there: the default client, and others by the operator's names. */
export interface ProviderEndpoints extends ClientRegistration {
  readonly apiUrl: string
  readonly tokenUrl: string
  readonly clients: ReadonlyMap<string, ClientRegistration>
}

/** The page to read (`null`: the first), and the entity tag that it had. */
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
  /** Number of entries on the page, and how many of them cannot be read: an unreadable entry proves nobody's absence. */
  readonly size: number
  readonly unreadable: number
  /** Number of entries in all, as the provider says. */
  readonly total: number | null
}

export type AccessToken = Redacted.Redacted<string>

/** What pollen needs of a provider. Every request method makes one request a page, and nothing else. */
export interface ProviderClient {
  readonly provider: Provider
  /** The kind of this provider's items. */
  readonly kind: ItemKind
  /** The address at which a person plays an item. */
  readonly itemUrl: (itemId: string) => string
  /** True when the totals of pages are exact. Others tell only that a listing has moved. */
  readonly isTotalExact: boolean
  /** Reads what the person follows: 50 sources a page. */
  readonly library: (token: AccessToken, page: PageRequest) => Effect.Effect<Page<Source> | NotModified, RequestError>
  /** Reads a source's items, newest first: 50 a page. */
  readonly items: (
    token: AccessToken,
    sourceId: string,
    page: PageRequest,
  ) => Effect.Effect<Page<ListedItem> | NotModified, RequestError>
  /**
   * Completes items with what their listing lacks: one request for 50. Items that no longer exist become `withheld`. `null` when a
   * listing has everything, and only a listing tells whether an item can be played.
   */
  readonly describe:
    | ((token: AccessToken, items: ReadonlyArray<ListedItem>) => Effect.Effect<ReadonlyArray<ListedItem>, RequestError>)
    | null
  /** Makes the cheapest request that shows whether a token works. */
  readonly validate: (token: AccessToken) => Effect.Effect<void, RequestError>
}
