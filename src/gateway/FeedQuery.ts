import type { ItemKind } from "../domain/item.ts"
import type { Provider } from "../domain/provider.ts"
import type { ArrivedPosition, FeedCursor } from "./FeedCursor.ts"

/** What of a feed is wanted. */
export interface FeedQuery {
  /** In items, or rows that are looked at where not every one is wanted. */
  readonly limit: number
  /** `published`: the latest first. `arrived`: the last to arrive first; from `since` on the first to arrive first. */
  readonly order: "published" | "arrived"
  readonly cursor?: FeedCursor | undefined
  readonly since?: ArrivedPosition | undefined
  /** Nothing that arrived after it. */
  readonly until?: ArrivedPosition | undefined
  readonly provider?: Provider | undefined
  readonly source?: string | undefined
  readonly kind?: ItemKind | undefined
  readonly isBackfill?: boolean | undefined
}
