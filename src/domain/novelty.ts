/** A listed item, as far as is needed to tell whether it is new. */
interface Listed {
  readonly itemId: string
  /** Epoch milliseconds. */
  readonly publishedAt: number
}

/** The items of a source that are known, by id. */
type Known = Pick<ReadonlyMap<string, unknown>, "has" | "size">

/**
 * Finds the new ones among items listed newest first. Ids decide, not clocks: a date without a time of day proves nothing.
 *
 * An unknown item above a known one is new, whatever its date. Below the last known one lies the archive that the first poll left out:
 * there, only an item published after `archiveBefore` is new (`null`: nothing was left out, all are new).
 */
export const newItems = <A extends Listed>(
  listed: ReadonlyArray<A>,
  known: Known,
  archiveBefore: number | null,
): ReadonlyArray<A> => {
  const lastKnown = listed.findLastIndex(({ itemId }) => known.has(itemId))
  const seen = new Set<string>()
  return listed.filter(({ itemId, publishedAt }, index) => {
    if (known.has(itemId) || seen.has(itemId)) return false
    seen.add(itemId)
    return index < lastKnown || archiveBefore === null || publishedAt > archiveBefore
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
