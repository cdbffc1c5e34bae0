/** What is needed of a listed item to tell whether it is new. */
interface Listed {
  readonly itemId: string
  /** Epoch milliseconds. */
  readonly publishedAt: number
}

/** The items of a source that are known, by id. */
type Known = Pick<ReadonlyMap<string, unknown>, "has" | "size">

/**
 * Which of the items listed, newest first, are new. Ids decide, not clocks: a date without a time of day proves nothing.
 *
 * An unknown item above a known one is new, whatever its date. Below the last known one lies the archive that the first poll
 * left out, so there only an item published after `archiveBefore` is new (`null`: nothing was left out, all are new).
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
 * Whether the page after these has to be read to be sure of having every new item.
 *
 * What ends in something new may go on with it; a known item above proves nothing, since a premiere stays on top for days. What
 * ends among known items, or in the archive below them, is enough. Where nothing known has turned up at all, either everything
 * known has been removed, or more than a page of items with old dates lies on top of it: that is read until the known items would
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
