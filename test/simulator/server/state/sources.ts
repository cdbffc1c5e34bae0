import type { Provider } from "../../model.ts"
import { itemIdOf, sourceIdOf } from "./identifiers.ts"
import type { Entry } from "./items.ts"
import { numberFrom, pick } from "./random.ts"

const subjects = ["Rivers", "Night trains", "Bread", "Small towns", "Old maps", "Bees", "Signals", "Weather"] as const
const forms = ["at length", "in an hour", "revisited", "with friends", "from scratch", "by letter"] as const

interface NewSourceState {
  readonly number: number
  readonly seed: string
  readonly provider: Provider
  readonly title: string | undefined
  readonly archive: number
  readonly spacingMs: number
  readonly window: number | null
  readonly createdAt: number
}

/** A show or a channel. Its archive is made when it is first looked into: most of a million sources never are. */
export class Source {
  readonly id: string
  readonly number: number
  readonly provider: Provider
  readonly createdAt: number
  title: string
  removed = false
  /** Grows with every change of anything that an answer could show. */
  version = 1
  /** Published since it was created, its archive apart. */
  published = 0
  readonly #seed: string
  readonly #archive: number
  readonly #spacingMs: number
  readonly #window: number | null
  #entries: Array<Entry> | undefined
  #serial: number

  constructor(state: NewSourceState) {
    this.id = sourceIdOf(state.seed, state.provider, state.number)
    this.number = state.number
    this.provider = state.provider
    this.createdAt = state.createdAt
    this.title = state.title ?? titleOf(state.number, state.seed)
    this.#seed = state.seed
    this.#archive = state.window === null ? state.archive : Math.min(state.archive, state.window)
    this.#spacingMs = state.spacingMs
    this.#window = state.window
    this.#serial = this.#archive
  }

  get total(): number {
    return this.#entries === undefined ? this.#archive : this.#entries.length
  }

  /** Oldest first. */
  get entries(): ReadonlyArray<Entry> {
    return this.#all()
  }

  /** Newest first, from `offset` on. */
  page(offset: number, limit: number): ReadonlyArray<Entry> {
    const entries = this.#all()
    const end = Math.max(0, entries.length - offset)
    return entries.slice(Math.max(0, end - limit), end).reverse()
  }

  find(serial: number): Entry | undefined {
    return this.#all().find((entry) => entry.serial === serial)
  }

  add(item: Omit<Entry, "id" | "serial" | "title"> & { readonly title: string | undefined }): Entry {
    const entries = this.#all()
    const serial = ++this.#serial
    const entry: Entry = { ...item, ...this.#identity(serial), title: item.title ?? titleOfItem(this.number, serial) }
    // One that is dated back takes its place by date; everything else goes to the end.
    let place = entries.length
    while (place > 0 && (entries[place - 1]?.publishedAt ?? 0) > entry.publishedAt) place--
    entries.splice(place, 0, entry)
    if (this.#window !== null && entries.length > this.#window) entries.splice(0, entries.length - this.#window)
    this.published++
    this.version++
    return entry
  }

  remove(entry: Entry): void {
    const entries = this.#all()
    entries.splice(entries.indexOf(entry), 1)
    this.version++
  }

  #all(): Array<Entry> {
    this.#entries ??= Array.from({ length: this.#archive }, (_, index) => ({
      ...this.#identity(index + 1),
      kind: "normal",
      title: titleOfItem(this.number, index + 1),
      publishedAt: this.createdAt - (this.#archive - index) * this.#spacingMs,
      scheduledStart: null,
      startedAt: null,
      endedAt: null,
    }))
    return this.#entries
  }

  #identity(serial: number): { readonly id: string; readonly serial: number } {
    return { id: itemIdOf(this.#seed, this.provider, this.number, serial), serial }
  }
}

const titleOf = (number: number, seed: string): string => {
  const chance = numberFrom(`${seed}:title:${number}`)
  return `${pick(subjects, chance)} ${pick(forms, chance >>> 8)} ${number}`
}

const titleOfItem = (source: number, serial: number): string => {
  const chance = numberFrom(`${source}:${serial}`)
  return `${serial}. ${pick(subjects, chance)} ${pick(forms, chance >>> 8)}`
}
