import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { countFitting, jsonTexts, longestJson } from "../../src/domain/jsonTexts.ts"

const ofLength = (length: number) => "x".repeat(length)

describe("Rows as JSON texts", () => {
  it("are all there, in their order, in as few texts as hold them", () => {
    const lengths = fc.array(fc.integer({ min: 0, max: longestJson / 2 }), { maxLength: 12 })
    fc.assert(
      fc.property(lengths, (each) => {
        const rows = each.map(ofLength)
        const texts = jsonTexts(rows)
        expect(texts.flatMap((text) => JSON.parse(text))).toEqual(rows)
        expect(texts.every(({ length }) => length <= longestJson)).toBe(true)
        // The first row of a text would not have fitted into the one before.
        texts.slice(1).forEach((text, index) => {
          const first = JSON.stringify(JSON.parse(text)[0])
          expect((texts[index]?.length ?? 0) + 1 + first.length).toBeGreaterThan(longestJson)
        })
      }),
      { numRuns: 50 },
    )
  })

  it("are one text up to the limit, and two from there on", () => {
    // Two brackets, a comma and two pairs of quotes.
    expect(jsonTexts([ofLength(100), ofLength(longestJson - 107)])).toHaveLength(1)
    expect(jsonTexts([ofLength(100), ofLength(longestJson - 106)])).toHaveLength(2)
  })

  it("have a row alone that is longer than a text may be", () => {
    expect(jsonTexts(["a", ofLength(longestJson + 1), "b"])).toHaveLength(3)
    expect(countFitting([ofLength(longestJson + 1), "b"])).toBe(1)
  })

  it("are none of no rows", () => {
    expect(jsonTexts([])).toEqual([])
    expect(countFitting([])).toBe(0)
  })
})
