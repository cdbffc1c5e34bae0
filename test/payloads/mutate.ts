import type { Dice } from "../dice.ts"

/** What stands in no schema, or at its edges. */
const junk: ReadonlyArray<unknown> = [
  ...[null, true, 0, -1, 1.5, 2 ** 53, 1e308, "", " ", "0", "null", "\0", "\ud800", "é́".repeat(300)],
  ...["x".repeat(5000), "constructor", "__proto__", "../..", "%2e%2e", "'; DROP TABLE users; --", "1970-01-01"],
  ...[[], [[]], [null], {}, { length: 1 }, { _tag: "Success" }, JSON.parse('{"__proto__":{"a":1}}')],
]

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Changes one place of a JSON document: the document as a whole, or anything within. */
export const mutate = (document: unknown, dice: Dice): unknown => {
  const { below, isDrawn, one } = dice
  const names = isRecord(document) ? Object.keys(document) : []
  const isLeaf = Array.isArray(document) ? document.length === 0 : names.length === 0
  if (isLeaf || isDrawn(0.15)) return one(junk)
  if (Array.isArray(document)) {
    const at = below(document.length)
    if (isDrawn(0.2)) return [...document, ...document]
    if (isDrawn(0.1)) return Array.from({ length: 2000 }, () => document[at])
    return document.map((entry, index) => (index === at ? mutate(entry, dice) : entry))
  }
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(document ?? {}))
  const name = one(names)
  if (isDrawn(0.2)) return { ...fields, [one(["extra", "isDry", "", "constructor", name.toUpperCase()])]: one(junk) }
  if (isDrawn(0.2)) {
    const { [name]: _left, ...rest } = fields
    return rest
  }
  return { ...fields, [name]: mutate(fields[name], dice) }
}
