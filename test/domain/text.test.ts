import fc from "fast-check"
import { expect, it } from "vitest"
import { cut } from "../../src/domain/text.ts"

const text = fc.string({ unit: fc.constantFrom("a", "é", "漢", "😀", "\ud83d", "\ude00", "\u0000") })

it("is whole characters, and never longer than asked for", () => {
  fc.assert(
    fc.property(text, fc.nat(20), (written, longest) => {
      const kept = cut(written, longest)
      expect(kept.isWellFormed()).toBe(true)
      expect(kept.length).toBeLessThanOrEqual(longest)
      expect(kept.length).toBeGreaterThanOrEqual(Math.min(written.length, longest) - 1)
    }),
  )
})

it("leaves alone what is short enough, and never cuts a character in two", () => {
  expect(cut("漢😀é", 4)).toBe("漢😀é")
  expect(cut("漢😀é", 3)).toBe("漢😀")
  expect(cut("漢😀é", 2)).toBe("漢")
})
