import { describe, expect, it } from "vitest"
import { isOutage, isUsable, needsRefresh, refreshableAt, requestableAt } from "../../src/domain/token.ts"

const now = 1_800_000_000_000
const minute = 60_000
const free = { retryAt: null, refreshLimitedUntil: null }

describe("an access token", () => {
  it("of an hour is refreshed from 5 minutes before it expires", () => {
    const issuedAt = now - 55 * minute
    expect(needsRefresh({ issuedAt, expiresAt: now + 5 * minute + 1 }, now)).toBe(false)
    expect(needsRefresh({ issuedAt, expiresAt: now + 5 * minute }, now)).toBe(true)
    expect(needsRefresh({ issuedAt, expiresAt: now - 1 }, now)).toBe(true)
  })

  it("that lives shorter is refreshed in the last tenth of its life", () => {
    const lives = (ms: number, leftMs: number) =>
      needsRefresh({ issuedAt: now + leftMs - ms, expiresAt: now + leftMs }, now)
    expect(lives(5 * minute, 5 * minute)).toBe(false)
    expect(lives(5 * minute, 30_001)).toBe(false)
    expect(lives(5 * minute, 30_000)).toBe(true)
    expect(lives(1000, 101)).toBe(false)
    expect(lives(-minute, 1)).toBe(false)
    expect(lives(-minute, 0)).toBe(true)
  })

  it("may be used without a refresh until 30 seconds before it expires", () => {
    expect(isUsable({ expiresAt: now + 30_001 }, now)).toBe(true)
    expect(isUsable({ expiresAt: now + 30_000 }, now)).toBe(false)
  })

  it("may be used after an outage of the token endpoint, and not after a refusal", () => {
    expect(["ProviderUnavailable", "RateLimited"].every((_tag) => isOutage({ _tag }))).toBe(true)
    expect(
      ["ReauthorizationRequired", "AccountNotConnected", "SealBroken", "HeldByObject", "DatabaseUnavailable"].some(
        (_tag) => isOutage({ _tag }),
      ),
    ).toBe(false)
  })
})

describe("a refresh", () => {
  it("waits for the backoff and for the token endpoint's limit, whichever ends later", () => {
    expect(refreshableAt(free)).toBe(0)
    expect(refreshableAt({ retryAt: now, refreshLimitedUntil: now + minute })).toBe(now + minute)
    expect(refreshableAt({ retryAt: now + minute, refreshLimitedUntil: now })).toBe(now + minute)
  })
})

describe("a request to the API", () => {
  const working = { expiresAt: now + 60 * minute }
  const limited = { retryAt: null, refreshLimitedUntil: now + 120 * minute }

  it("waits for the API's own limit", () => {
    expect(requestableAt(now, now + 10 * minute, { ...working, ...free }, now)).toBe(now + 10 * minute)
    expect(requestableAt(now + 20 * minute, now + 10 * minute, { ...working, ...free }, now)).toBe(now + 20 * minute)
  })

  it("does not wait for the token endpoint's limit while the access token works", () => {
    expect(requestableAt(now, null, { ...working, ...limited }, now)).toBe(now)
  })

  it("waits for the token endpoint's limit when the access token no longer works by then", () => {
    expect(requestableAt(now + 60 * minute, null, { ...working, ...limited }, now)).toBe(now + 120 * minute)
    expect(requestableAt(now, now + 61 * minute, { ...working, ...limited }, now)).toBe(now + 120 * minute)
  })

  it("that was wanted in the past waits when the access token does not work now", () => {
    expect(requestableAt(0, null, { expiresAt: now, ...limited }, now)).toBe(now + 120 * minute)
    expect(requestableAt(0, null, { expiresAt: now, ...free }, now)).toBe(0)
  })
})
