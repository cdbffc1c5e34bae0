import type { D1Database } from "@cloudflare/workers-types"
import type { Follower } from "./population.ts"

/** One item of one source that was published once everybody was there. */
export interface Published {
  readonly itemId: string
  readonly sourceId: string
}

export interface Verdict {
  readonly delivered: number
  readonly lost: number
  readonly doubled: number
}

const peopleAtOnce = 200

const feedsOf = `SELECT feed.user_id AS userId, feed.external_id AS itemId, count(*) AS copies FROM user_feed_items feed
  JOIN json_each(?1) wanted ON wanted.value = feed.user_id WHERE feed.is_backfill = 0
  GROUP BY feed.user_id, feed.provider, feed.external_id`

/** Compares feeds with what was published. Knows nothing of how pollen delivers. */
export const judge = async (
  database: D1Database,
  people: ReadonlyArray<Follower>,
  published: ReadonlyArray<Published>,
): Promise<Verdict> => {
  const bySource = new Map<string, Array<string>>()
  for (const { itemId, sourceId } of published) bySource.set(sourceId, [...(bySource.get(sourceId) ?? []), itemId])
  const verdict = { delivered: 0, lost: 0, doubled: 0 }
  for (let from = 0; from < people.length; from += peopleAtOnce) {
    const some = people.slice(from, from + peopleAtOnce)
    const { results } = await database
      .prepare(feedsOf)
      .bind(JSON.stringify(some.map(({ id }) => id)))
      .all<{ userId: string; itemId: string; copies: number }>()
    const found = new Map<string, Set<string>>()
    for (const { userId, itemId, copies } of results) {
      verdict.doubled += copies - 1
      found.set(userId, (found.get(userId) ?? new Set()).add(itemId))
    }
    for (const { id, sources } of some) {
      const has = found.get(id) ?? new Set()
      const expected = new Set(sources.flatMap((source) => bySource.get(source) ?? []))
      for (const itemId of expected) verdict[has.has(itemId) ? "delivered" : "lost"] += 1
      for (const itemId of has) verdict.doubled += expected.has(itemId) ? 0 : 1
    }
  }
  return verdict
}

/** Rows that feeds are to have of what was published. */
export const expectedRows = (people: ReadonlyArray<Follower>, published: ReadonlyArray<Published>): number => {
  const followers = new Map<string, number>()
  for (const source of people.flatMap(({ sources }) => sources)) followers.set(source, (followers.get(source) ?? 0) + 1)
  return published.reduce((sum, { sourceId }) => sum + (followers.get(sourceId) ?? 0), 0)
}
