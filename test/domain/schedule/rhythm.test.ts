import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { nextLook, priceOf } from "../../../src/domain/schedule/nextLook.ts"
import { rhythmOf } from "../../../src/domain/schedule/rhythm.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 10, 27, 12)
const bounds = { minimumMs: hour / 4, maximumMs: day }

const history = fc.array(fc.integer({ min: now - 400 * day, max: now + 30 * day }), { maxLength: 60 })

describe("the next look at a source", () => {
  it("is a moment within its bounds, whatever the source has published, and the same each time", () => {
    fc.assert(
      fc.property(
        history,
        fc.integer({ min: now, max: now + 7 * day }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (times, since, looks) => {
          const rhythm = rhythmOf(times, now)
          const at = nextLook(rhythm, since, { price: priceOf(rhythm, looks), ...bounds })
          expect(at).toBeGreaterThanOrEqual(since + bounds.minimumMs)
          expect(at).toBeLessThanOrEqual(since + 3 * day)
          expect(Number.isInteger(at)).toBe(true)
          expect(rhythmOf(times.toReversed(), now)).toEqual(rhythm)
        },
      ),
    )
  })

  it("is no later for a lower price", () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0.01, max: 10, noNaN: true }), (times, price) => {
        const rhythm = rhythmOf(times, now)
        const at = (factor: number) => nextLook(rhythm, now, { price: price * factor, ...bounds })
        expect(at(0.5)).toBeLessThanOrEqual(at(1))
      }),
    )
  })

  it.each([
    ["nothing", []],
    ["one item", [now - day]],
    ["50 items at the same moment", Array.from({ length: 50 }, () => now - day)],
    ["items to come", [now + day, now + 2 * day, now + 3 * day]],
  ])("is taken a few times a day of a source of which is known: %s", (_, times) => {
    const rhythm = rhythmOf(times, now)
    expect(rhythm.perHour.every((rate) => Number.isFinite(rate) && rate > 0)).toBe(true)
    expect(nextLook(rhythm, now, { price: priceOf(rhythm, 4), ...bounds }) - now).toBeLessThanOrEqual(6 * hour + 1)
  })
})

describe("a source that publishes every day at five", () => {
  const fives = Array.from({ length: 30 }, (_, index) => Date.UTC(2026, 10, 26 - index, 17, (index * 7) % 40))

  it("is looked at soon after, with as many looks as any other", () => {
    const rhythm = rhythmOf(fives, now)
    const price = priceOf(rhythm, 3)
    const looks: Array<number> = []
    for (let at = now; at < now + 2 * day; ) {
      at = nextLook(rhythm, at, { price, ...bounds })
      looks.push(at)
    }
    const published = Date.UTC(2026, 10, 28, 17, 20)
    const found = looks.find((at) => at >= published) ?? Number.POSITIVE_INFINITY
    expect(found - published).toBeLessThan(2 * hour)
    expect(looks.length).toBeLessThanOrEqual(8)
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
