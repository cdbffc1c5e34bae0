import { describe, expect, it } from "vitest"
import { isRefusalExplained, nextTryOfRefused } from "../../src/domain/refusal.ts"

const now = 1_800_000_000_000
const hour = 3_600_000
const day = 24 * hour

describe("A refused grant", () => {
  const waits = (refusals: number, random: number) =>
    (nextTryOfRefused({ provider: "spotify", authorizedAt: null, refusals }, now, random) ?? now) - now

  it("is tried again after about an hour and about a day, spread, and then no more", () => {
    expect([waits(1, 0), waits(1, 0.5)]).toEqual([hour, 1.25 * hour])
    expect([waits(2, 0), waits(2, 0.5)]).toEqual([23 * hour, 24.5 * hour])
    expect(nextTryOfRefused({ provider: "youtube", authorizedAt: null, refusals: 3 }, now, 0)).toBeNull()
  })

  it("of Spotify is not tried again when it is six months old", () => {
    const given = (authorizedAt: number) => ({ provider: "spotify" as const, authorizedAt, refusals: 1 })
    expect(nextTryOfRefused(given(now - 183 * day), now, 0)).toBeNull()
    expect(nextTryOfRefused(given(now - 100 * day), now, 0)).toBe(now + hour)
  })

  it("is explained by its age at Spotify alone, and never where nobody knows its age", () => {
    const isExplained = (provider: "spotify" | "youtube", authorizedAt: number | null) =>
      isRefusalExplained({ provider, authorizedAt }, now)
    expect(isExplained("spotify", now - 200 * day)).toBe(true)
    expect(isExplained("spotify", null)).toBe(false)
    expect(isExplained("youtube", now - 200 * day)).toBe(false)
  })
})
