import type { Item, ItemChange, NewItem, NewSource, Provider } from "../../model.ts"
import type { Clock } from "./clock.ts"
import { numbersIn } from "./identifiers.ts"
import { applyChange, type Entry, itemOf, refuseForeignKind } from "./items.ts"
import { Refusal } from "./refusal.ts"
import { Source } from "./sources.ts"

const HOUR_MS = 3_600_000

/** Every show and channel, and through them every episode and video. */
export class Catalogue {
  readonly #clock: Clock
  readonly #seed: string
  readonly #sources: Array<Source> = []
  readonly #byId = new Map<string, Source>()

  constructor(clock: Clock, seed: string) {
    this.#clock = clock
    this.#seed = seed
  }

  create(source: NewSource): Source {
    const created = new Source({
      number: this.#sources.length,
      seed: this.#seed,
      provider: source.provider,
      title: source.title,
      archive: source.items ?? 0,
      spacingMs: (source.publishEveryHours ?? 24) * HOUR_MS,
      window: source.rollingWindow ?? null,
      createdAt: this.#clock.now(),
    })
    this.#sources.push(created)
    this.#byId.set(created.id, created)
    return created
  }

  /** The source with this id, unless it was removed or belongs to the other provider. */
  find(provider: Provider, id: string): Source | undefined {
    const source = this.#byId.get(id)
    return source === undefined || source.removed || source.provider !== provider ? undefined : source
  }

  /** The item with this id, unless it or its source is gone. */
  findItem(provider: Provider, id: string): { readonly source: Source; readonly entry: Entry } | undefined {
    const { source: number, serial } = numbersIn(id)
    const source = this.#sources[number]
    if (source === undefined || source.removed || source.provider !== provider) return undefined
    const entry = source.find(serial)
    return entry?.id === id ? { source, entry } : undefined
  }

  /** As `find`, but the removed ones too; refuses an unknown id. */
  named(id: string): Source {
    const source = this.#byId.get(id)
    if (source === undefined) throw new Refusal(`there is no source "${id}"`)
    return source
  }

  publish(id: string, items: number | ReadonlyArray<NewItem>): ReadonlyArray<Item> {
    const source = this.named(id)
    if (source.removed) throw new Refusal(`source "${id}" was removed`)
    const news: ReadonlyArray<NewItem> = typeof items === "number" ? Array.from({ length: items }, () => ({})) : items
    return news.map((item) => itemOf(source, this.#add(source, item)))
  }

  change(id: string, change: ItemChange): Item {
    const { source, entry } = this.#namedItem(id)
    if (change.kind !== undefined) refuseForeignKind(source.provider, change.kind)
    applyChange(entry, change, this.#clock.now())
    source.version++
    return itemOf(source, entry)
  }

  removeItem(id: string): void {
    const { source, entry } = this.#namedItem(id)
    source.remove(entry)
  }

  /** Newest first. */
  items(id: string): ReadonlyArray<Item> {
    const source = this.named(id)
    return source.page(0, source.total).map((entry) => itemOf(source, entry))
  }

  #add(source: Source, item: NewItem): Entry {
    const kind = item.kind ?? "normal"
    refuseForeignKind(source.provider, kind)
    const publishedAt = item.publishedAt ?? this.#clock.now()
    return source.add({
      title: item.title,
      kind,
      publishedAt,
      scheduledStart: item.scheduledStart ?? (kind === "upcoming" ? publishedAt + 24 * HOUR_MS : null),
      startedAt: kind === "live" ? publishedAt : null,
      endedAt: null,
    })
  }

  #namedItem(id: string): { readonly source: Source; readonly entry: Entry } {
    const found = this.findItem("spotify", id) ?? this.findItem("youtube", id)
    if (found === undefined) throw new Refusal(`there is no item "${id}"`)
    return found
  }
}
