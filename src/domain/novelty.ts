import type { Precision } from "./item.ts"

/** A listed item, as far as is needed to tell whether it is new. */
interface Listed {
  readonly itemId: string
  /** Epoch milliseconds. */
  readonly publishedAt: number
  /** `instant` unless told. */
  readonly precision?: Precision
}

/** The first moment after the period of which `publishedAt` is the first. */
const periodEnd = ({ publishedAt, precision = "instant" }: Listed): number => {
  if (precision === "instant") return publishedAt
  const date = new Date(publishedAt)
  const [years, months, days] = precision === "year" ? [1, 0, 0] : precision === "month" ? [0, 1, 0] : [0, 0, 1]
  return Date.UTC(date.getUTCFullYear() + years, date.getUTCMonth() + months, date.getUTCDate() + days)
}

/** The items of a source that are known, by id. */
type Known = Pick<ReadonlyMap<string, unknown>, "has" | "size">

/**
 * Finds the new ones among items listed newest first. Ids decide, not clocks: a date without a time of day proves nothing.
 *
 * An unknown item above a known one is new, whatever its date. Below the last known one lies the archive that the first poll left out:
 * there, only an item published after `archiveBefore` is new (`null`: nothing was left out, all are new). Where no known item is
 * listed any more, dates alone decide, and one that knows no more than a day, a month or a year is new if it may be.
 */
export const newItems = <A extends Listed>(
  listed: ReadonlyArray<A>,
  known: Known,
  archiveBefore: number | null,
): ReadonlyArray<A> => {
  const lastKnown = listed.findLastIndex(({ itemId }) => known.has(itemId))
  const seen = new Set<string>()
  return listed.filter((item, index) => {
    const { itemId, publishedAt } = item
    if (known.has(itemId) || seen.has(itemId)) return false
    seen.add(itemId)
    if (index < lastKnown || archiveBefore === null) return true
    return (lastKnown === -1 ? periodEnd(item) : publishedAt) > archiveBefore
  })
}

/**
 * Tells whether the next page is needed to be sure of every new item.
 *
 * Pages that end in a new item may go on with new ones; a known item above proves nothing, since a premiere stays on top for days.
 * Pages that end among known items, or in the archive below them, are enough. When no known item has turned up at all, either all of
 * them have been removed, or more than a page of items with old dates lies on top: then pages are read until the known items would
 * have come, the source's count having grown by `expected`.
 */
export const isNextPageNeeded = (
  pages: ReadonlyArray<ReadonlyArray<Listed>>,
  known: Known,
  archiveBefore: number | null,
  expected: number,
): boolean => {
  const listed = pages.flat()
  const fresh = newItems(listed, known, archiveBefore)
  const end = listed.at(-1)?.itemId
  if (fresh.some(({ itemId }) => itemId === end)) return true
  return !listed.some(({ itemId }) => known.has(itemId)) && listed.length <= expected + known.size
}

/** Pages searched for what the listing must have somewhere: an item that waits, or one that the source's count announces. */
export const searchedPages = 4

interface Announced {
  /** Number of items by which the source's count has grown. */
  readonly growth: number
  /** The count, and the number of items that the listing has by its own account. */
  readonly count: number | null
  readonly total: number | null
}

/**
 * Tells whether an item that the count announces is looked for below the pages read: it can be put in with an old date, or drift down
 * before anybody looks. A listing that counts fewer items than are announced does not have it yet.
 */
export const isSoughtBelow = (
  pages: ReadonlyArray<ReadonlyArray<Listed>>,
  known: Known,
  archiveBefore: number | null,
  { growth, count, total }: Announced,
): boolean =>
  growth > 0 &&
  pages.length < searchedPages &&
  count !== null &&
  total !== null &&
  total >= count &&
  newItems(pages.flat(), known, archiveBefore).length === 0
