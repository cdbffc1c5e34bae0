/** What is needed of a listed item to tell whether it is new. */
interface Listed {
  readonly externalId: string
  /** Epoch milliseconds. */
  readonly publishedAt: number
}

/**
 * Which of the items listed, newest first, are new. Ids decide, not clocks: a date without a time of day proves nothing.
 *
 * An unknown item above a known one is new, whatever its date. Below the last known one lies the archive that the first poll
 * left out, so there only an item published after `archiveBefore` is new (`null`: nothing was left out, all are new).
 */
export const newItems = <A extends Listed>(
  listed: ReadonlyArray<A>,
  isKnown: (externalId: string) => boolean,
  archiveBefore: number | null,
): ReadonlyArray<A> => {
  const lastKnown = listed.findLastIndex(({ externalId }) => isKnown(externalId))
  const seen = new Set<string>()
  return listed.filter(({ externalId, publishedAt }, index) => {
    if (isKnown(externalId) || seen.has(externalId)) return false
    seen.add(externalId)
    return index < lastKnown || archiveBefore === null || publishedAt > archiveBefore
  })
}

/**
 * Whether the page after these has to be read to be sure of having every new item: as long as nothing known has been seen,
 * or fewer new items were found than the source's count says (`expected`) while the last page still held some.
 */
export const isNextPageNeeded = (
  pages: ReadonlyArray<ReadonlyArray<Listed>>,
  isKnown: (externalId: string) => boolean,
  archiveBefore: number | null,
  expected: number,
): boolean => {
  const last = pages.at(-1) ?? []
  const listed = pages.flat()
  if (last.length > 0 && archiveBefore !== null && last.every(({ publishedAt }) => publishedAt < archiveBefore))
    return false
  if (!listed.some(({ externalId }) => isKnown(externalId))) return true
  return newItems(listed, isKnown, archiveBefore).length < expected && newItems(last, isKnown, archiveBefore).length > 0
}
