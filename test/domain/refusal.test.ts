import { describe, expect, it } from "vitest"
import { isRefusalExplained, nextTryOfRefused } from "../../src/domain/refusal.ts"

const now = 1_800_000_000_000
const hour = 3_600_000
const day = 24 * hour

describe("A refused grant", () => {
  const waits = (refusals: number, random: number) =>
    (nextTryOfRefused({ endsAt: null, refusals }, now, random) ?? now) - now

  it("is tried again after about an hour and about a day, spread, and then no more", () => {
    expect([waits(1, 0), waits(1, 0.5)]).toEqual([hour, 1.25 * hour])
    expect([waits(2, 0), waits(2, 0.5)]).toEqual([23 * hour, 24.5 * hour])
    expect(nextTryOfRefused({ endsAt: null, refusals: 3 }, now, 0)).toBeNull()
  })

  it("is not tried again once its age has ended it", () => {
    const given = (endsAt: number) => ({ endsAt, refusals: 1 })
    expect(nextTryOfRefused(given(now), now, 0)).toBeNull()
    expect(nextTryOfRefused(given(now + day), now, 0)).toBe(now + hour)
  })

  it("is explained by its age alone, and never where no age ends it", () => {
    expect(isRefusalExplained({ endsAt: now - day }, now)).toBe(true)
    expect(isRefusalExplained({ endsAt: null }, now)).toBe(false)
  })
})
