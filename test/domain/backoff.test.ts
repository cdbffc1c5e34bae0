import fc from "fast-check"
import { expect, it } from "vitest"
import { backoff } from "../../src/domain/backoff.ts"

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 0, max: 10_000_000 }))
  .map(([firstMs, more]) => ({ firstMs, longestMs: firstMs + more }))
const failures = fc.integer({ min: 1, max: 1000 })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

it("never waits longer than the longest, nor less than half of the first", () => {
  fc.assert(
    fc.property(bounds, failures, random, (range, count, drawn) => {
      const wait = backoff(count, drawn, range)
      expect(wait).toBeLessThanOrEqual(range.longestMs)
      expect(wait).toBeGreaterThanOrEqual(Math.floor(range.firstMs / 2))
    }),
  )
})

it("never waits less after one failure more, the draw being equal", () => {
  fc.assert(
    fc.property(bounds, failures, random, (range, count, drawn) => {
      expect(backoff(count + 1, drawn, range)).toBeGreaterThanOrEqual(backoff(count, drawn, range))
    }),
  )
})

it("doubles until it is capped, and spreads over the upper half", () => {
  const range = { firstMs: 1000, longestMs: 10_000 }
  expect([1, 2, 3, 4, 5, 60].map((count) => backoff(count, 0, range))).toEqual([500, 1000, 2000, 4000, 5000, 5000])
  expect(backoff(60, 0.999_999, range)).toBe(10_000)
})
