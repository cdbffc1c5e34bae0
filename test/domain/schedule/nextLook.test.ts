import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fairPrice, nextLook, priceOf } from "../../../src/domain/schedule/nextLook.ts"
import { rhythmOf } from "../../../src/domain/schedule/rhythm.ts"

const hour = 3_600_000
const day = 24 * hour
const now = Date.UTC(2026, 10, 27, 12)
const bounds = { minimumMs: hour / 4, maximumMs: day }

const moment = fc.oneof(
  fc.integer({ min: now - 400 * day, max: now + 30 * day }),
  fc.integer({ min: -400, max: 30 }).map((days) => Math.floor(now / day) * day + days * day),
)
const history = fc.oneof(
  fc.array(moment, { maxLength: 60 }),
  moment.map((at) => Array.from({ length: 50 }, () => at)),
)
const price = fc.oneof(fc.double({ min: 0, max: 100, noNaN: true }), fc.constant(Number.POSITIVE_INFINITY))
const since = fc.integer({ min: now, max: now + 14 * day })

describe("the next look at a source", () => {
  it("is never below the floor, nor above the ceiling, and never no moment, whatever the history, the price and the followers", () => {
    fc.assert(
      fc.property(history, price, since, fc.integer({ min: 0, max: 1_000_000 }), (times, price, since, followers) => {
        const rhythm = rhythmOf(times, now)
        const at = nextLook(rhythm, since, { price, followers, ...bounds })
        expect(Number.isSafeInteger(at)).toBe(true)
        expect(at).toBeGreaterThanOrEqual(since + bounds.minimumMs)
        expect(at).toBeLessThanOrEqual(since + (rhythm.certainty >= 0.8 ? 3 : 1) * day)
      }),
    )
  })

  it("is no later with more followers", () => {
    fc.assert(
      fc.property(history, price, since, fc.integer({ min: 1, max: 100_000 }), (times, price, since, followers) => {
        const rhythm = rhythmOf(times, now)
        const at = (followers: number) => nextLook(rhythm, since, { price, followers, ...bounds })
        expect(at(followers + 1)).toBeLessThanOrEqual(at(followers))
        expect(at(followers * 10)).toBeLessThanOrEqual(at(followers))
      }),
    )
  })

  it("is the same for the same history in any order, with any of it twice", () => {
    fc.assert(
      fc.property(history, price, since, (times, price, since) => {
        const at = (of: ReadonlyArray<number>) => nextLook(rhythmOf(of, now), since, { price, ...bounds })
        expect(at([...times, ...times.toReversed()])).toBe(at(times))
      }),
    )
  })

  it("comes at a density of √(followers × rate) where nothing is known of the hour", () => {
    const even = (perHour: number) => ({ ...rhythmOf([], now), perHour: Array.from({ length: 336 }, () => perHour) })
    const wait = (perHour: number, followers: number) =>
      nextLook(even(perHour), now, { price: 1, followers, ...bounds }) - now
    expect(wait(0.5, 4) / wait(0.5, 16)).toBeCloseTo(2, 3)
    expect(wait(0.5, 4) / wait(2, 4)).toBeCloseTo(2, 3)
  })

  it("comes once most of what is likely is there, and not again before the next is likely", () => {
    const fives = Array.from({ length: 30 }, (_, index) => Date.UTC(2026, 10, 26 - index, 17, (index * 7) % 40))
    const price = fairPrice(rhythmOf(fives, now), 2)
    const found = Date.UTC(2026, 10, 27, 17, 20)
    const before = nextLook(rhythmOf(fives, now), now, { price, ...bounds })
    expect(before).toBeGreaterThan(Date.UTC(2026, 10, 27, 17))
    expect(before).toBeLessThan(Date.UTC(2026, 10, 27, 20))
    const after = nextLook(rhythmOf([...fives, found], before), before, { price, ...bounds })
    expect(after).toBeGreaterThan(Date.UTC(2026, 10, 28, 8))
  })
})

describe("the price of a look", () => {
  it("spends the looks that a budget has a day, all sources together, as far as the bounds allow", () => {
    fc.assert(
      fc.property(fc.array(history, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 20 }), (all, each) => {
        const sources = all.map((times, index) => ({ rhythm: rhythmOf(times, now), followers: index + 1 }))
        const wanted = each * sources.length
        const price = priceOf(sources, wanted, bounds)
        const from = Math.floor(now / (7 * day)) * 7 * day
        const spent = sources.reduce((sum, { rhythm, followers }) => {
          const steady = { ...rhythm, burst: null, quiet: null }
          let looks = 0
          for (let at = from; at < from + 28 * day; looks += 1)
            at = nextLook(steady, at, { price, followers, ...bounds })
          return sum + looks / 28
        }, 0)
        expect(spent).toBeGreaterThan(wanted * 0.8)
        expect(spent).toBeLessThan(wanted * 1.2)
      }),
      { numRuns: 40 },
    )
  })

  it("is lower, never higher, for a source that publishes rarely", () => {
    const every = (gap: number) =>
      rhythmOf(
        Array.from({ length: 12 }, (_, index) => now - (index + 1) * gap),
        now,
      )
    expect(fairPrice(every(14 * day), 3)).toBeLessThan(fairPrice(every(day), 3))
  })
})
