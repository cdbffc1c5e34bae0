import type { NewPerson, Person, Provider, Seed } from "../../model.ts"
import type { Catalogue } from "./catalogue.ts"
import type { Clock } from "./clock.ts"
import { numberFrom } from "./random.ts"
import { Refusal } from "./refusal.ts"
import type { Source } from "./sources.ts"

interface Subscription {
  readonly source: Source
  /** Epoch milliseconds. */
  readonly addedAt: number
}

/** What one person is subscribed to at one provider. */
export class Library {
  /** Oldest first. */
  readonly #subscriptions: Array<Subscription> = []

  get size(): number {
    return this.#subscriptions.length
  }

  /** Newest first, from `offset` on. */
  page(offset: number, limit: number): ReadonlyArray<Subscription> {
    const end = Math.max(0, this.size - offset)
    return this.#subscriptions.slice(Math.max(0, end - limit), end).reverse()
  }

  add(source: Source, addedAt: number): void {
    if (!this.#subscriptions.some((subscription) => subscription.source === source)) {
      this.#subscriptions.push({ source, addedAt })
    }
  }

  remove(source: Source): void {
    const place = this.#subscriptions.findIndex((subscription) => subscription.source === source)
    if (place >= 0) this.#subscriptions.splice(place, 1)
  }

  ids(): ReadonlyArray<string> {
    return this.page(0, this.size).map((subscription) => subscription.source.id)
  }
}

type Libraries = Readonly<Record<Provider, Library>>

export class People {
  readonly #clock: Clock
  readonly #catalogue: Catalogue
  readonly #people = new Map<string, Libraries>()

  constructor(clock: Clock, catalogue: Catalogue) {
    this.#clock = clock
    this.#catalogue = catalogue
  }

  has(id: string): boolean {
    return this.#people.has(id)
  }

  /** The first so many, in order of creation. */
  first(count: number): ReadonlyArray<string> {
    return [...this.#people.keys().take(count)]
  }

  create(person: NewPerson): Person {
    if (this.#people.has(person.id)) throw new Refusal(`there is a person "${person.id}" already`)
    const libraries = { spotify: new Library(), youtube: new Library() }
    this.#people.set(person.id, libraries)
    this.#fill(libraries, "spotify", person.shows ?? 0)
    this.#fill(libraries, "youtube", person.channels ?? 0)
    return this.describe(person.id)
  }

  seed(seed: Seed): ReadonlyArray<Person> {
    const prefix = seed.prefix ?? "person"
    const shows = this.#allotment(seed, "spotify", seed.showsEach ?? 0)
    const channels = this.#allotment(seed, "youtube", seed.channelsEach ?? 0)
    return Array.from({ length: seed.people }, (_, index) =>
      this.create({ id: `${prefix}-${index}`, shows: shows(index), channels: channels(index) }),
    )
  }

  describe(id: string): Person {
    const libraries = this.#named(id)
    return { id, shows: libraries.spotify.ids(), channels: libraries.youtube.ids() }
  }

  /** Refuses an unknown person. */
  library(id: string, provider: Provider): Library {
    return this.#named(id)[provider]
  }

  subscribe(id: string, sourceId: string): void {
    const source = this.#catalogue.named(sourceId)
    this.library(id, source.provider).add(source, this.#clock.now())
  }

  unsubscribe(id: string, sourceId: string): void {
    const source = this.#catalogue.named(sourceId)
    this.library(id, source.provider).remove(source)
  }

  #named(id: string): Libraries {
    const libraries = this.#people.get(id)
    if (libraries === undefined) throw new Refusal(`there is no person "${id}"`)
    return libraries
  }

  #fill(libraries: Libraries, provider: Provider, sources: ReadonlyArray<string> | number): void {
    const now = this.#clock.now()
    if (typeof sources === "number") {
      for (let count = 0; count < sources; count++) {
        libraries[provider].add(this.#catalogue.create({ provider, items: 3 }), now)
      }
      return
    }
    for (const id of sources.toReversed()) {
      const source = this.#catalogue.named(id)
      if (source.provider !== provider) throw new Refusal(`"${id}" is a source of ${source.provider}`)
      libraries[provider].add(source, now)
    }
  }

  /** Gives each person `each` sources: a run of the common pool that starts anywhere, then new ones. */
  #allotment(seed: Seed, provider: Provider, each: number): (person: number) => ReadonlyArray<string> {
    const sourceOf = () => this.#catalogue.create({ provider, items: seed.itemsEach ?? 3 }).id
    const shared = Math.round(each * (seed.sharedSources ?? 0))
    const pool = Array.from({ length: shared * 4 }, sourceOf)
    return (person) => {
      const start = numberFrom(`${seed.prefix ?? "person"}:${provider}:${person}`)
      const common = Array.from({ length: shared }, (_, place) => pool[(start + place) % pool.length] ?? sourceOf())
      return [...common, ...Array.from({ length: each - shared }, sourceOf)]
    }
  }
}
