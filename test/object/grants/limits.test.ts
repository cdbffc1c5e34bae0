import { evictDurableObject } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import type { Fault } from "../../../local/simulator/model.ts"
import { clock } from "../../worker.ts"
import { hour, makeSources, minute, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const now = () => Date.now() + clock.aheadMs

/** Somebody who follows one show, polled, with a Spotify access token that has an hour to live. */
const somebody = async () => settled(await makeSources("spotify", 1), "spotify")

const account = async (person: Person) => (await person.status()).accounts[0]
const tokenRequests = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "token" })).length

const breakTokens = (person: Person, fault: Fault) =>
  simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault }])
const limitApi = (person: Person, retryAfterSeconds: number) =>
  simulator.setFaults([
    { match: { person: person.id, kind: "library" }, fault: { type: "rate_limited", retryAfterSeconds }, times: 1 },
  ])

describe("An access token of which the refresh fails", () => {
  it.each([
    { type: "status", status: 500 },
    { type: "reset" },
    { type: "rate_limited", retryAfterSeconds: 60 },
  ] as const)("is used while it works: %j", async (fault) => {
    const person = await somebody()
    await breakTokens(person, fault)
    clock.aheadMs = 57 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "still_valid", reason: null }] })
    expect(await account(person)).toMatchObject({ state: "connected" })
    // The second caller learns of the first one's failure without asking the endpoint.
    expect(await tokenRequests(person)).toBe(1)
  })

  it("is not used in its last 30 seconds", async () => {
    const person = await somebody()
    await breakTokens(person, { type: "reset" })
    clock.aheadMs = hour - 20_000
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "unavailable" }] })
  })

  it("is not used after the provider refused the grant", async () => {
    const person = await somebody()
    await simulator.revoke(person.id, "spotify")
    clock.aheadMs = 57 * minute
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "reauthorization_required" }] })
  })
})

describe("A rate limit of the API", () => {
  it("keeps no refresh back", async () => {
    const person = await somebody()
    await limitApi(person, 5 * 3600)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    clock.aheadMs = hour
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await tokenRequests(person)).toBe(1)
    // The limit itself stands: nothing is asked of the API with the new token.
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited", requests: 0 }] })
  })

  it("does not put off keeping an unused grant alive", async () => {
    const person = await settled(await makeSources("youtube", 1), "youtube")
    await person.sql("UPDATE accounts SET held_until = ?, hold_reason = 'rate_limited'", now() + 90 * 24 * hour)
    clock.aheadMs = 30 * 24 * hour + minute
    await person.wake()
    await person.alarm()
    expect(await tokenRequests(person)).toBe(1)
  })
})

describe("A rate limit of the token endpoint", () => {
  it("keeps no poll back while the access token works, and every poll that needs a new one", async () => {
    const person = await somebody()
    await breakTokens(person, { type: "rate_limited", retryAfterSeconds: 7200 })
    clock.aheadMs = 57 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    const { rateLimitedUntil, rateLimitReason } = (await account(person)) ?? {}
    expect(rateLimitedUntil).toBeGreaterThan(now() + 119 * minute)
    expect(rateLimitReason).toBe("rate_limited")
    await evictDurableObject(person.stub)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    clock.aheadMs = hour
    expect(await person.pollNow()).toMatchObject({
      accounts: [{ outcome: "rate_limited", retryAt: rateLimitedUntil, requests: 0 }],
    })
    await person.becomesDue()
    await person.wake()
    expect(await person.alarmAt()).toBe(rateLimitedUntil)
    expect(await tokenRequests(person)).toBe(1)
  })

  it("is not passed over by force, and ends with the refresh after it", async () => {
    const person = await somebody()
    await breakTokens(person, { type: "rate_limited", retryAfterSeconds: 7200 })
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "failed" }] })
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "failed" }] })
    expect(await tokenRequests(person)).toBe(1)
    await simulator.clearFaults()
    clock.aheadMs = 2 * hour + 15 * minute
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await account(person)).toMatchObject({ rateLimitedUntil: null, rateLimitReason: null })
  })
})
