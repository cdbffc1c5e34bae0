/** Longest address kept, in UTF-16 code units. */
const longestAddress = 2000

/**
 * Returns an address of the web of bounded length as it is, and `null` for anything else: addresses become links and pictures in
 * whatever shows a feed, where `javascript:` would be run.
 */
export const webAddress = (text: string | null | undefined): string | null =>
  text != null &&
  text.length <= longestAddress &&
  text.isWellFormed() &&
  /^https?:\/\/[^\s\p{Cc}]+$/iu.test(text) &&
  URL.canParse(text)
    ? text
    : null

/** Longest title kept, in UTF-16 code units: providers allow 100 to 255 characters. */
export const longestTitle = 500

/**
 * Cuts a text to `longest` UTF-16 code units and leaves whole characters only: SQLite stores half a surrogate pair as broken UTF-8.
 */
export const cut = (text: string, longest: number): string =>
  text.length <= longest
    ? text.toWellFormed()
    : // Without the first half of a pair of which the cut takes the second.
      text
        .slice(0, longest)
        .replace(/[\ud800-\udbff]$/, "")
        .toWellFormed()
