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
