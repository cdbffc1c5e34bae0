import type { Item, ItemChange, ItemKind, Provider } from "../../model.ts"
import { Refusal } from "./refusal.ts"
import type { Source } from "./sources.ts"

/** An episode or a video as the provider keeps it. */
export interface Entry {
  readonly id: string
  readonly serial: number
  kind: ItemKind
  title: string
  /** Epoch milliseconds, as are those below. */
  publishedAt: number
  scheduledStart: number | null
  /** Of a broadcast that has begun. */
  startedAt: number | null
  /** Of a broadcast that is over. */
  endedAt: number | null
}

const kindsOf: Record<Provider, ReadonlySet<ItemKind>> = {
  spotify: new Set<ItemKind>(["normal", "null", "unplayable", "precision-month", "precision-year"]),
  youtube: new Set<ItemKind>(["normal", "private", "deleted", "upcoming", "live", "short"]),
}

export const refuseForeignKind = (provider: Provider, kind: ItemKind): void => {
  if (!kindsOf[provider].has(kind)) throw new Refusal(`${provider} has no items of kind "${kind}"`)
}

/** Follows a broadcast's course: what becomes live has begun, and what was live and is no longer is over. */
export const applyChange = (entry: Entry, change: ItemChange, now: number): void => {
  const kind = change.kind ?? entry.kind
  if (kind === "upcoming") entry.scheduledStart = change.scheduledStart ?? entry.scheduledStart ?? now + 86_400_000
  else if (change.scheduledStart !== undefined) entry.scheduledStart = change.scheduledStart
  if (kind === "live") entry.startedAt ??= now
  if (kind !== "live" && entry.kind === "live") entry.endedAt = now
  // What was hidden gets its date when it is shown.
  if (entry.kind === "private" && kind !== "private") entry.publishedAt = now
  entry.kind = kind
  entry.title = change.title ?? entry.title
  entry.publishedAt = change.publishedAt ?? entry.publishedAt
}

export const itemOf = (source: Source, entry: Entry): Item => ({
  id: entry.id,
  source: source.id,
  kind: entry.kind,
  title: entry.title,
  publishedAt: entry.publishedAt,
  scheduledStart: entry.scheduledStart,
})
