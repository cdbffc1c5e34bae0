import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fairPrice, nextLook } from "../../../src/domain/schedule/nextLook.ts"
import { rhythmOf, together } from "../../../src/domain/schedule/rhythm.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 10, 27, 12)
const bounds = { minimumMs: hour / 4, maximumMs: day }

describe("a source of which little is known", () => {
  it.each([
    ["nothing", []],
    ["one item", [now - day]],
    ["50 items at the same moment", Array.from({ length: 50 }, () => now - day)],
    ["items to come", [now + day, now + 2 * day, now + 3 * day]],
  ])("is looked at a few times a day: %s", (_, times) => {
    const rhythm = rhythmOf(times, now)
    expect(rhythm.perHour.every((rate) => Number.isFinite(rate) && rate > 0)).toBe(true)
    expect(nextLook(rhythm, now, { price: fairPrice(rhythm, 4), ...bounds }) - now).toBeLessThanOrEqual(12 * hour)
  })
})

describe("a source that falls silent", () => {
  it("is expected to publish less and less", () => {
    const weekly = Array.from({ length: 12 }, (_, index) => now - (index + 1) * 7 * day)
    const rate = (at: number) => rhythmOf(weekly, at).perHour.reduce((sum, one) => sum + one / 2, 0)
    expect(rate(now)).toBeCloseTo(1, 0)
    expect(rate(now + 56 * day)).toBeLessThan(rate(now) / 2)
    expect(rate(now + 365 * day)).toBeLessThan(rate(now) / 10)
  })
})

describe("a source that has been silent for years", () => {
  const silent = [1000, 999, 998].map((days) => now - days * day)

  it("has rates that are numbers, and nearly none", () => {
    const { perHour, certainty } = rhythmOf(silent, now)
    expect(perHour.every((rate) => Number.isFinite(rate) && rate >= 0 && rate < 0.01)).toBe(true)
    expect(certainty).toBeCloseTo(0)
  })

  it("takes nothing from the rhythm of the library that it is in", () => {
    const daily = rhythmOf(
      Array.from({ length: 40 }, (_, index) => now - index * day),
      now,
    )
    const both = together([daily, rhythmOf(silent, now)])
    for (const [slot, rate] of daily.perHour.entries()) expect(both.perHour[slot]).toBeCloseTo(rate, 2)
  })
})

it("A rhythm is made of numbers, whatever the history", () => {
  const moment = fc.integer({ min: now - 3000 * day, max: now + 30 * day })
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), (times) => {
      const { perHour, certainty } = rhythmOf(times, now)
      expect(perHour.every((rate) => Number.isFinite(rate) && rate >= 0)).toBe(true)
      expect(certainty).toBeGreaterThanOrEqual(0)
      expect(certainty).toBeLessThanOrEqual(1)
    }),
    { numRuns: 500 },
  )
})
