import type { Item, Source } from "../state/catalogue.ts"
import type { Followed } from "../state/library.ts"
import type { Shown } from "../state/looks.ts"

const images = (id: string) =>
  [640, 300, 64].map((size) => ({ height: size, width: size, url: `https://i.scdn.co/image/${size}-${id}` }))

const links = (base: string, type: "show" | "episode", id: string) => ({
  external_urls: { spotify: `https://open.spotify.com/${type}/${id}` },
  href: `${base}/spotify/api/v1/${type}s/${id}`,
  id,
  images: images(id),
  type,
  uri: `spotify:${type}:${id}`,
})

/** A simplified show object. */
export const showObject = (base: string, source: Source, { total }: Shown) => ({
  ...links(base, "show", source.id),
  available_markets: ["AT", "CH", "DE", "GB", "US"],
  copyrights: [],
  description: `All about ${source.title}.`,
  html_description: `<p>All about ${source.title}.</p>`,
  explicit: false,
  is_externally_hosted: false,
  languages: ["en"],
  media_type: "audio",
  name: source.title,
  publisher: `Publisher of ${source.title}`,
  total_episodes: total,
})

export const savedShowObject = (base: string, { source, addedAt }: Followed, shown: Shown) => ({
  // Spotify writes whole seconds here.
  added_at: new Date(addedAt).toISOString().replace(/\.\d+Z$/, "Z"),
  show: showObject(base, source, shown),
})

const releaseDate = (item: Item) => {
  const date = new Date(item.publishedAt).toISOString()
  if (item.kind === "precision-year") return { release_date: date.slice(0, 4), release_date_precision: "year" }
  if (item.kind === "precision-month") return { release_date: date.slice(0, 7), release_date_precision: "month" }
  return { release_date: date.slice(0, 10), release_date_precision: "day" }
}

/** A simplified episode object; `null` where Spotify lists nothing but a hole. */
export const episodeObject = (base: string, item: Item, showsResumePoint: boolean) => {
  if (item.kind === "null") return null
  const isPlayable = item.kind !== "unplayable"
  return {
    ...links(base, "episode", item.id),
    audio_preview_url: `https://podz-content.spotifycdn.com/audio/clips/${item.id}.mp3`,
    description: `${item.title}, told at length.`,
    html_description: `<p>${item.title}, told at length.</p>`,
    duration_ms: 1_800_000 + (Math.abs(item.number) % 60) * 1000,
    explicit: false,
    is_externally_hosted: false,
    is_playable: isPlayable,
    language: "en",
    languages: ["en"],
    name: item.title,
    ...releaseDate(item),
    ...(showsResumePoint ? { resume_point: { fully_played: false, resume_position_ms: 0 } } : {}),
    ...(isPlayable ? {} : { restrictions: { reason: "market" } }),
  }
}

/** The paging object, exactly: each of its seven fields is always there. */
export const pagingObject = <T>(
  href: string,
  query: URLSearchParams,
  { items, limit, offset, total }: { items: ReadonlyArray<T>; limit: number; offset: number; total: number },
) => {
  const link = (to: number) => {
    const parameters = new URLSearchParams(query)
    parameters.set("offset", String(to))
    parameters.set("limit", String(limit))
    return `${href}?${parameters}`
  }
  return {
    href: link(offset),
    items,
    limit,
    next: offset + limit < total ? link(offset + limit) : null,
    offset,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    total,
  }
}
