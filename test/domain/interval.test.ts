import fc from "fast-check"
import { expect, it } from "vitest"
import { pollInterval, withJitter } from "../../src/domain/interval.ts"

const hour = 3_600_000
const bounds = { minimumMs: hour / 4, maximumMs: 24 * hour }
const now = Date.UTC(2026, 10, 1)
const ages = fc.array(fc.integer({ min: 0, max: 400 * 24 * hour }), { maxLength: 40 })
const publishedAt = (agesMs: ReadonlyArray<number>) => agesMs.map((age) => now - age)

it("stays within the bounds, whatever was published", () => {
  fc.assert(
    fc.property(ages, (agesMs) => {
      const interval = pollInterval(publishedAt(agesMs), now, bounds)
      expect(interval).toBeGreaterThanOrEqual(bounds.minimumMs)
      expect(interval).toBeLessThanOrEqual(bounds.maximumMs)
    }),
  )
})

it("does not depend on the order of the publications", () => {
  fc.assert(
    fc.property(ages, (agesMs) => {
      const sorted = [...agesMs].sort((a, b) => a - b)
      expect(pollInterval(publishedAt(agesMs), now, bounds)).toBe(pollInterval(publishedAt(sorted), now, bounds))
    }),
  )
})

it("grows with silence, and never shrinks", () => {
  fc.assert(
    fc.property(ages, fc.integer({ min: 0, max: 60 * 24 * hour }), (agesMs, silence) => {
      const published = publishedAt(agesMs)
      expect(pollInterval(published, now + silence, bounds)).toBeGreaterThanOrEqual(
        pollInterval(published, now, bounds),
      )
    }),
  )
  const hourly = publishedAt([0, 4, 8, 12].map((hours) => hours * hour))
  expect(pollInterval(hourly, now, bounds)).toBe(hour)
  expect(pollInterval(hourly, now + 40 * hour, bounds)).toBe(10 * hour)
})

it("is no shorter for a source that publishes everything at wider gaps", () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 100 * hour }), { minLength: 2, maxLength: 19 })
  const regular = (gapsMs: ReadonlyArray<number>) =>
    Array.from({ length: gapsMs.length + 1 }, (_, index) => now - gapsMs.slice(0, index).reduce((a, b) => a + b, 0))
  fc.assert(
    fc.property(gaps, fc.integer({ min: 1, max: 10 }), (gapsMs, factor) => {
      const wider = gapsMs.map((gap) => gap * factor)
      expect(pollInterval(regular(wider), now, bounds)).toBeGreaterThanOrEqual(
        pollInterval(regular(gapsMs), now, bounds),
      )
    }),
  )
})

it("looks four times between two publications of a regular source, within the bounds", () => {
  fc.assert(
    fc.property(fc.integer({ min: hour, max: 90 * hour }), (gap) => {
      const regular = Array.from({ length: 10 }, (_, index) => now - index * gap)
      expect(Math.floor(gap / pollInterval(regular, now, bounds))).toBeGreaterThanOrEqual(
        gap >= 4 * bounds.minimumMs ? 3 : 1,
      )
      expect(pollInterval(regular, now, bounds)).toBe(Math.max(bounds.minimumMs, Math.round(gap / 4)))
    }),
  )
})

it("is the longest for a source of which fewer than two publications are known", () => {
  expect(pollInterval([], now, bounds)).toBe(bounds.maximumMs)
  expect(pollInterval([now], now, bounds)).toBe(bounds.maximumMs)
})

it("is jittered by at most a tenth, within the bounds", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
  fc.assert(
    fc.property(fc.integer({ min: bounds.minimumMs, max: bounds.maximumMs }), random, (interval, drawn) => {
      const wait = withJitter(interval, drawn, bounds)
      expect(Math.abs(wait - interval)).toBeLessThanOrEqual(interval * 0.1 + 1)
      expect(wait).toBeGreaterThanOrEqual(bounds.minimumMs)
      expect(wait).toBeLessThanOrEqual(bounds.maximumMs)
    }),
  )
  expect(withJitter(bounds.maximumMs * 2, 0.5, bounds)).toBeLessThanOrEqual(bounds.maximumMs)
  expect(withJitter(0, 0.5, bounds)).toBeGreaterThanOrEqual(bounds.minimumMs)
  expect(withJitter(10 * hour, 0, bounds)).toBe(9 * hour)
  expect(withJitter(10 * hour, 0.5, bounds)).toBe(10 * hour)
})

it("is spread evenly at the bounds too, where the most sources are", () => {
  for (const interval of [bounds.minimumMs, bounds.maximumMs]) {
    const draws = Array.from({ length: 1000 }, (_, index) => withJitter(interval, index / 1000, bounds))
    expect(new Set(draws).size).toBe(draws.length)
    expect(Math.max(...draws) - Math.min(...draws)).toBeGreaterThan(interval * 0.099)
  }
})
