/** Longest JSON text of one parameter, in UTF-16 code units, each at most 3 bytes: below the 2 MB that D1 takes for a string. */
export const longestJson = 600_000

/** An array of what are JSON texts already. */
export const jsonArray = (texts: ReadonlyArray<string>): string => `[${texts.join(",")}]`

/** How many of the texts, from one on, fit into one array of at most {@link longestJson} code units; never none, if there is one. */
export const countFitting = (texts: ReadonlyArray<string>, from = 0): number => {
  let length = 1
  for (let index = from; index < texts.length; index += 1) {
    length += (texts[index]?.length ?? 0) + 1
    if (length > longestJson && index > from) return index - from
  }
  return texts.length - from
}

/**
 * Rows as JSON arrays that one parameter can hold: one array, as long as the rows are of the usual size. Statements are so split by
 * D1's limits, and not by people.
 */
export const jsonTexts = (rows: ReadonlyArray<unknown>): ReadonlyArray<string> => {
  const texts = rows.map((row) => JSON.stringify(row))
  const arrays: Array<string> = []
  for (let from = 0; from < texts.length; ) {
    const to = from + countFitting(texts, from)
    arrays.push(jsonArray(texts.slice(from, to)))
    from = to
  }
  return arrays
}
