import fc from "fast-check"
import { expect, it } from "vitest"
import { cut, webAddress } from "../../src/domain/text.ts"

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

it.each(["https://x.test/a?b=c#d", "http://127.0.0.1:8080/", "https://x.test/%20\u00fc", "HTTPS://X.TEST/"])(
  "%s is an address of the web, and stays as it is",
  (address) => {
    expect(webAddress(address)).toBe(address)
  },
)

it.each([
  ["nothing", ""],
  ["a script", "javascript:alert(1)"],
  ["a script in front of an address", "javascript:'https://x.test'"],
  ["data", "data:text/html,x"],
  ["without a scheme", "//x.test/"],
  ["without a host", "https://"],
  ["with a blank", "https://x.test/a b"],
  ["with a line's end", "https://x.test/\n"],
  ["with a control character", "https://x.test/\u0000"],
  ["with half a character", "https://x.test/\ud83d"],
  ["too long", `https://x.test/${"x".repeat(2000)}`],
])("%s is none", (_what, text) => {
  expect(webAddress(text)).toBeNull()
})

it("nothing at all is none", () => {
  expect([webAddress(null), webAddress(undefined)]).toEqual([null, null])
})
