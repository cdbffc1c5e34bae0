import type { ItemKind } from "./item.ts"
import type { Provider } from "./provider.ts"

// What each provider's items are, and where it shows them, by their ids.

const spotify = (kind: string) => (id: string) => `https://open.spotify.com/${kind}/${encodeURIComponent(id)}`

/** The page of an episode or a video. */
export const itemPage: Readonly<Record<Provider, (itemId: string) => string>> = {
  spotify: spotify("episode"),
  youtube: (id) => `https://www.youtube.com/watch?v=${encodeURIComponent(id)}`,
}

/** The page of a show or a channel. */
export const sourcePage: Readonly<Record<Provider, (sourceId: string) => string>> = {
  spotify: spotify("show"),
  youtube: (id) => `https://www.youtube.com/channel/${encodeURIComponent(id)}`,
}

/** What each provider's items are. */
export const itemKind: Readonly<Record<Provider, ItemKind>> = { spotify: "episode", youtube: "video" }
