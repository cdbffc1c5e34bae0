import type { SourceOddities } from "../../model/sources.ts"
import type { ItemKind, ItemState, Provider, PublishedItem, SourceInput } from "../../model.ts"
import type { Clock } from "./clock.ts"
import type { Random } from "./random.ts"
import { Refusal } from "./refusal.ts"

export interface Item {
  readonly id: string
  readonly source: Source
  readonly title: string
  readonly number: number
  kind: ItemKind
  /** Epoch milliseconds. */
  readonly publishedAt: number
  readonly scheduledStart: number
  /** Epoch milliseconds; absent until a broadcast starts or ends. */
  startedAt?: number
  endedAt?: number
  version: number
}

export interface Source {
  readonly id: string
  readonly provider: Provider
  readonly rollingWindow: number
  readonly uploads: boolean
  readonly publishEveryMs: number
  readonly createdAt: number
  title: string
  removed: boolean
  /** Raised by every change that a listing could show: entity tags are made from it. */
  version: number
  /** Items published since the source was made. */
  published: number
  /** How many archive items are still to be made: an archive that nobody lists takes no memory. */
  unmade: number
  /** Oldest first. */
  readonly made: Array<Item>
  /** How many looks at the listing still find nothing there (404), and after that nothing in it. */
  missingLooks: number
  emptyLooks: number
  /** What was true when the total began to stand still. */
  standing: { readonly total: number; readonly published: number; readonly version: number } | null
}

const hourMs = 3_600_000

const kinds: Record<Provider, ReadonlyArray<ItemKind>> = {
  spotify: ["normal", "null", "unplayable", "precision-month", "precision-year"],
  youtube: ["normal", "private", "deleted", "upcoming", "live", "short"],
}

/** Shows, channels, and what they have published. */
export class Catalogue {
  private readonly sources = new Map<string, Source>()
  private readonly itemsById = new Map<string, Item>()
  private readonly clock: Clock
  private readonly random: Random
  private made = 0

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  create(input: SourceInput): Source {
    if (input.id !== undefined && this.sources.has(input.id)) throw new Refusal(`source ${input.id} is there already`)
    this.made++
    const rollingWindow = input.rollingWindow ?? Number.POSITIVE_INFINITY
    const source: Source = {
      id: input.id ?? (input.provider === "spotify" ? this.random.base62(22) : `UC${this.random.base62(22)}`),
      provider: input.provider,
      rollingWindow,
      uploads: input.uploads ?? true,
      publishEveryMs: (input.publishEveryHours ?? 24) * hourMs,
      createdAt: this.clock.now(),
      title: input.title ?? `${input.provider === "spotify" ? "Show" : "Channel"} ${this.made}`,
      removed: false,
      version: 1,
      published: 0,
      unmade: Math.min(input.items ?? 0, rollingWindow),
      made: [],
      missingLooks: 0,
      emptyLooks: 0,
      standing: null,
    }
    this.sources.set(source.id, source)
    this.makeOdd(source.id, input)
    return source
  }

  makeOdd(id: string, { missingLooks, emptyLooks, standingTotal }: SourceOddities): void {
    const source = this.get(id)
    if (missingLooks !== undefined) source.missingLooks = missingLooks
    if (emptyLooks !== undefined) source.emptyLooks = emptyLooks
    if (standingTotal === undefined) return
    const { published, version } = source
    source.standing = standingTotal ? { total: this.total(source), published, version } : null
  }

  find(id: string): Source | undefined {
    return this.sources.get(id)
  }

  /** For control: fails with `Refusal` for an id that no source has. */
  get(id: string): Source {
    const source = this.sources.get(id)
    if (source === undefined) throw new Refusal(`no source ${id}`)
    return source
  }

  findItem(id: string): Item | undefined {
    return this.itemsById.get(id)
  }

  rename(id: string, title: string): void {
    const source = this.get(id)
    source.title = title
    source.version++
  }

  remove(id: string): void {
    const source = this.get(id)
    source.removed = true
    source.version++
  }

  total(source: Source): number {
    return source.unmade + source.made.length
  }

  /** Newest first, from `offset`, at most `limit`. */
  page(source: Source, offset: number, limit: number): Array<Item> {
    const items = this.archive(source)
    const page: Array<Item> = []
    for (let index = items.length - 1 - offset; index >= 0 && page.length < limit; index--) {
      const item = items[index]
      if (item !== undefined) page.push(item)
    }
    return page
  }

  publish(id: string, items: number | ReadonlyArray<PublishedItem>): Array<Item> {
    const source = this.get(id)
    const inputs = typeof items === "number" ? Array.from({ length: items }, (): PublishedItem => ({})) : items
    const archive = this.archive(source)
    const published = inputs.map((input) => {
      source.published++
      const publishedAt = input.publishedAt ?? this.clock.now()
      const item = this.item(source, source.published, publishedAt, input)
      archive.splice(Math.max(0, archive.length - (input.below ?? 0)), 0, item)
      return item
    })
    const surplus = archive.length - source.rollingWindow
    if (surplus > 0) for (const gone of archive.splice(0, surplus)) this.itemsById.delete(gone.id)
    source.version++
    return published
  }

  itemOf(id: string): Item {
    const item = this.itemsById.get(id)
    if (item === undefined) throw new Refusal(`no item ${id}`)
    return item
  }

  change(id: string, kind: ItemKind): void {
    const item = this.itemOf(id)
    this.checkKind(item.source, kind)
    if (kind === "live") item.startedAt = this.clock.now()
    if (kind === "normal" && item.kind === "live") item.endedAt = this.clock.now()
    item.kind = kind
    item.version++
    item.source.version++
  }

  removeItem(id: string): void {
    const item = this.itemsById.get(id)
    if (item === undefined) throw new Refusal(`no item ${id}`)
    this.itemsById.delete(id)
    item.source.made.splice(item.source.made.indexOf(item), 1)
    item.source.version++
  }

  removeItems(id: string): void {
    const source = this.get(id)
    for (const item of source.made.splice(0)) this.itemsById.delete(item.id)
    source.unmade = 0
    source.version++
  }

  states(id: string): Array<ItemState> {
    const source = this.get(id)
    return this.page(source, 0, this.total(source)).map(({ id, title, kind, publishedAt }) => ({
      id,
      title,
      kind,
      publishedAt,
    }))
  }

  private archive(source: Source): Array<Item> {
    const size = source.unmade
    source.unmade = 0
    for (let age = size; age >= 1; age--) {
      const publishedAt = source.createdAt - age * source.publishEveryMs
      source.made.push(this.item(source, -age, publishedAt, {}))
    }
    return source.made
  }

  private item(source: Source, number: number, publishedAt: number, input: PublishedItem): Item {
    const kind = input.kind ?? "normal"
    this.checkKind(source, kind)
    if (input.id !== undefined && this.itemsById.has(input.id)) throw new Refusal(`item ${input.id} is there already`)
    const noun = source.provider === "spotify" ? "Episode" : "Video"
    const item: Item = {
      id: input.id ?? this.random.base62(source.provider === "spotify" ? 22 : 11),
      source,
      title: input.title ?? (number < 0 ? `${noun} from the archive, ${-number}` : `${noun} ${number}`),
      number,
      kind,
      publishedAt,
      scheduledStart: input.scheduledStart ?? publishedAt + hourMs,
      version: 1,
    }
    if (kind === "live") item.startedAt = publishedAt
    this.itemsById.set(item.id, item)
    return item
  }

  private checkKind(source: Source, kind: ItemKind): void {
    if (!kinds[source.provider].includes(kind)) throw new Refusal(`${source.provider} has no items of kind ${kind}`)
  }
}
