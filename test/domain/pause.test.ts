import fc from "fast-check"
import { expect, it } from "vitest"
import { spreadPause } from "../../src/domain/pause.ts"

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const pause = fc.record({ now: fc.nat(), waitMs: fc.nat(1e9), longestMs: fc.integer({ min: 1, max: 3_600_000 }) })

it("never ends before the provider allows, nor much later", () => {
  fc.assert(
    fc.property(pause, random, fc.boolean(), ({ now, waitMs, longestMs }, drawn, isQuota) => {
      const reason = isQuota ? "quota_exceeded" : "rate_limited"
      const end = spreadPause({ reason, retryAt: now + waitMs }, { now, random: drawn, longestMs })
      expect(end).toBeGreaterThanOrEqual(now + waitMs)
      expect(end).toBeLessThanOrEqual(now + waitMs + (isQuota ? longestMs : Math.min(longestMs, waitMs / 10)))
    }),
  )
})

it("spreads those who were refused together over its whole range", () => {
  const ends = [0, 0.25, 0.5, 0.75].map((drawn) =>
    spreadPause({ reason: "quota_exceeded", retryAt: 1000 }, { now: 0, random: drawn, longestMs: 400 }),
  )
  expect(ends).toEqual([1000, 1100, 1200, 1300])
})

it("that has ended is not made longer", () => {
  const past = { reason: "rate_limited", retryAt: 10 } as const
  expect(spreadPause(past, { now: 20, random: 0.9, longestMs: 1000 })).toBe(10)
})
