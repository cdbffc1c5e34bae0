import type { SeededPerson } from "../simulator/model.ts"
import type { Delivered } from "./feed.ts"

/** An item that the simulator has published since everybody was connected. */
export interface Published {
  readonly itemId: string
  readonly sourceId: string
}

export interface Verdict {
  /** Items published that are in the feed of somebody who follows their source: one for each such person. */
  readonly delivered: number
  /** Rows that should be in a feed and are not. */
  readonly lost: number
  /** Rows beyond the first for the same person and item, and rows of what the person should not have. */
  readonly doubled: number
}

const sourcesOf = ({ shows, channels }: SeededPerson): ReadonlyArray<string> => [...shows, ...channels]
const pair = (userId: string, id: string) => `${userId}\u0000${id}`

/** Counts the rows that the feeds must have when everything is delivered. */
export const expectedRows = (
  people: ReadonlyArray<SeededPerson>,
  published: ReadonlyArray<Published>,
  backfillEach: number,
): number => {
  const followers = new Map<string, number>()
  for (const source of people.flatMap(sourcesOf)) followers.set(source, (followers.get(source) ?? 0) + 1)
  const ofPublished = published.reduce((sum, { sourceId }) => sum + (followers.get(sourceId) ?? 0), 0)
  return ofPublished + people.flatMap(sourcesOf).length * backfillEach
}

/** Compares the feeds with what the simulator published and seeded. Knows nothing of how pollen delivers. */
export const judge = (
  people: ReadonlyArray<SeededPerson>,
  published: ReadonlyArray<Published>,
  backfillEach: number,
  feeds: ReadonlyArray<Delivered>,
): Verdict => {
  const sourceOf = new Map(published.map(({ itemId, sourceId }) => [itemId, sourceId]))
  const backfilled = new Map<string, number>()
  const present = new Set<string>()
  let doubled = 0
  const followed = new Set(people.flatMap((person) => sourcesOf(person).map((source) => pair(person.id, source))))
  for (const { userId, itemId, sourceId, isBackfill, copies } of feeds) {
    doubled += copies - 1
    const isTheirs = sourceId !== null && followed.has(pair(userId, sourceId))
    if (isTheirs && sourceOf.get(itemId) === sourceId) present.add(pair(userId, itemId))
    else if (isTheirs && isBackfill === 1) {
      backfilled.set(pair(userId, sourceId), (backfilled.get(pair(userId, sourceId)) ?? 0) + 1)
    } else doubled += 1
  }
  let lost = 0
  let delivered = 0
  for (const person of people) {
    const sources = new Set(sourcesOf(person))
    for (const source of sources) {
      const archived = backfilled.get(pair(person.id, source)) ?? 0
      lost += Math.max(0, backfillEach - archived)
      doubled += Math.max(0, archived - backfillEach)
    }
    for (const { itemId, sourceId } of published) {
      if (!sources.has(sourceId)) continue
      if (present.has(pair(person.id, itemId))) delivered += 1
      else lost += 1
    }
  }
  return { delivered, lost, doubled }
}
