import { describe, expect, it } from "vitest"
import { keepAliveAfterMs, nextWarning, reconnectBy, spotifyLifetimeMs } from "../../src/domain/grantLife.ts"

const day = 24 * 3_600_000
const authorizedAt = Date.UTC(2026, 6, 1)
const lifetimeMs = spotifyLifetimeMs
const end = authorizedAt + lifetimeMs

/** Six months later by the calendar. */
const sixMonthsAfter = (at: number) => {
  const date = new Date(at)
  return date.setUTCMonth(date.getUTCMonth() + 6)
}

describe("a person has to connect again", () => {
  it("before six months are over since the authorization, and at most three days sooner, whatever the months", () => {
    for (let month = 0; month < 12; month++) {
      const at = Date.UTC(2026, month, 15)
      const by = reconnectBy(spotifyLifetimeMs, at) ?? 0
      expect(by).toBeLessThanOrEqual(sixMonthsAfter(at))
      expect(by).toBeGreaterThanOrEqual(sixMonthsAfter(at) - 3 * day)
    }
  })

  it("at no known time where the provider ends no grant by its age, or nobody knows that", () => {
    expect(reconnectBy(null, authorizedAt)).toBeNull()
    expect(reconnectBy(spotifyLifetimeMs, null)).toBeNull()
  })
})

describe("a warning", () => {
  const next = (now: number, warnedDays: number | null = null) =>
    nextWarning({ authorizedAt, lifetimeMs, warnedDays }, now)

  it("is due 30, 7 and 1 days before the end, once each", () => {
    expect(next(authorizedAt)).toEqual({ days: 30, at: end - 30 * day })
    expect(next(end - 30 * day, 30)).toEqual({ days: 7, at: end - 7 * day })
    expect(next(end - 7 * day, 7)).toEqual({ days: 1, at: end - day })
    expect(next(end - day, 1)).toBeNull()
  })

  it("that comes late is the most urgent one alone", () => {
    expect(next(end - 3 * day)).toEqual({ days: 7, at: end - 7 * day })
    expect(next(end - 1)).toEqual({ days: 1, at: end - day })
    expect(next(end - 1, 7)).toEqual({ days: 1, at: end - day })
  })

  it("is not given of a grant that has ended", () => {
    expect(next(end)).toBeNull()
  })

  it("is not given before the authorization of a grant that lives a few days only", () => {
    expect(nextWarning({ authorizedAt, lifetimeMs: 7 * day, warnedDays: null }, authorizedAt)).toEqual({
      days: 1,
      at: authorizedAt + 6 * day,
    })
  })

  it("is not given of a grant that age does not end, or of unknown age", () => {
    expect(nextWarning({ authorizedAt, lifetimeMs: null, warnedDays: null }, authorizedAt)).toBeNull()
    expect(nextWarning({ authorizedAt: null, lifetimeMs, warnedDays: null }, authorizedAt)).toBeNull()
  })
})

it("A keep-alive refreshes unused grants of Google, and none of Spotify, which does not extend them", () => {
  expect(keepAliveAfterMs).toEqual({ spotify: null, youtube: 30 * day })
})
