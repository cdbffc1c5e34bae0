import type { Provider } from "../../model.ts"
import type { Catalogue, Source } from "./catalogue.ts"
import type { Clock } from "./clock.ts"

export interface Followed {
  readonly source: Source
  /** Epoch milliseconds. */
  readonly addedAt: number
  readonly subscriptionId: string
}

interface Shelf {
  /** By source id, in order of addition. */
  readonly followed: Map<string, Followed>
  version: number
}

/** Who follows what. People exist from the moment they are first named. */
export class Library {
  private readonly people = new Map<string, Record<Provider, Shelf>>()
  private readonly catalogue: Catalogue
  private readonly clock: Clock
  private additions = 0

  constructor(catalogue: Catalogue, clock: Clock) {
    this.catalogue = catalogue
    this.clock = clock
  }

  shelf(person: string, provider: Provider): Shelf {
    return this.person(person)[provider]
  }

  /** Newest first, from `offset`, at most `limit`. */
  page(person: string, provider: Provider, offset: number, limit: number): Array<Followed> {
    const all = [...this.shelf(person, provider).followed.values()]
    return all.reverse().slice(offset, offset + limit)
  }

  follow(person: string, sources: ReadonlyArray<string>): void {
    const shelves = this.person(person)
    for (const id of sources) {
      const source = this.catalogue.get(id)
      const shelf = shelves[source.provider]
      this.additions++
      shelf.followed.delete(id)
      shelf.followed.set(id, {
        source,
        addedAt: this.clock.now(),
        subscriptionId: `sub${this.additions.toString(36).padStart(10, "0")}${id.slice(2, 22)}`,
      })
      shelf.version++
    }
  }

  unfollow(person: string, sources: ReadonlyArray<string>): void {
    const shelves = this.person(person)
    for (const id of sources) {
      const shelf = shelves[this.catalogue.get(id).provider]
      shelf.followed.delete(id)
      shelf.version++
    }
  }

  has(person: string): boolean {
    return this.people.has(person)
  }

  private person(id: string): Record<Provider, Shelf> {
    const known = this.people.get(id)
    if (known !== undefined) return known
    const made = { spotify: { followed: new Map(), version: 1 }, youtube: { followed: new Map(), version: 1 } }
    this.people.set(id, made)
    return made
  }
}
