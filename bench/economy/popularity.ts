import { followed, sourcesPerPerson } from "./assumptions.ts"

/** How the people of one provider spread over its sources. */
export interface Popularity {
  /** Sources that somebody follows. */
  readonly followedSources: number
  /** People and sources that follow each other: pairs. */
  readonly follows: number
  /** Followers of the most popular source, and of the median one of those that somebody follows. */
  readonly most: number
  readonly median: number
}

/**
 * By a Zipf law: the k-th source is chosen with a probability in proportion to 1/k. Everybody chooses as many times as they follow
 * sources, and twice the same counts once. Expected values.
 */
export const popularityOf = (people: number): Popularity => {
  const sources = (people * sourcesPerPerson) / 2
  let harmonic = 0
  for (let rank = 1; rank <= sources; rank += 1) harmonic += 1 / rank
  const followers: Array<number> = []
  for (let rank = 1; rank <= sources; rank += 1) {
    const chosen = 1 / (rank * harmonic)
    followers.push(people * (1 - (1 - chosen) ** followed))
  }
  const isFollowed = followers.map((expected) => 1 - Math.exp(-expected))
  const followedSources = isFollowed.reduce((sum, part) => sum + part, 0)
  const follows = followers.reduce((sum, expected) => sum + expected, 0)
  const atMedian = Math.floor(followedSources / 2)
  return { followedSources, follows, most: followers[0] ?? 0, median: Math.max(1, followers[atMedian] ?? 1) }
}
