import { Schema } from "effect"

/** Longest id kept, in UTF-16 code units: providers' own have 11 to 24. */
const longestId = 1000

/** A provider's id of a source or an item. It is opaque. NUL would end it in SQLite, and half a surrogate pair can stand in no address. */
export const Id = Schema.String.pipe(
  Schema.check(
    Schema.makeFilter((id) => id !== "" && id.length <= longestId && id.isWellFormed() && !id.includes("\0")),
  ),
)
