import { evictDurableObject } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import type { Fault } from "../../../local/simulator/model.ts"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { hour, makeSources, minute, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const now = () => Date.now() + clock.aheadMs

const account = async (person: Person, provider: Provider) => {
  const found = (await person.status()).accounts.find((one) => one.provider === provider)
  if (found === undefined) throw new Error(`no ${provider} account`)
  return found
}

const asked = async (person: Person, provider: Provider) =>
  (await simulator.counts({ person: person.id, provider })).total

const limit = (person: Person, fault: Fault, kind: "library" | "items" = "library") =>
  simulator.setFaults([{ match: { person: person.id, kind }, fault, times: 1 }])

describe("A Retry-After of hours", () => {
  it.each(["spotify", "youtube"] as const)("from %s survives an eviction and is obeyed", async (provider) => {
    const sources = await makeSources(provider, 2)
    const person = await settled(sources, provider)
    await limit(person, { type: "rate_limited", retryAfterSeconds: 5 * 3600 })
    const before = now()
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    const { rateLimitedUntil } = await account(person, provider)
    expect(rateLimitedUntil).toBeGreaterThanOrEqual(before + 5 * hour)
    // Those who were refused together do not come back together.
    expect(rateLimitedUntil).toBeLessThanOrEqual(now() + 5 * hour + 15 * minute)
    await evictDurableObject(person.stub)
    await simulator.clearLedger(person.id)
    clock.aheadMs = 4.9 * hour
    // Nobody gets past it: no alarm, no impatient person, no new token, no look at whether the token works.
    await person.becomesDue()
    await person.alarm()
    expect(await person.pollNow()).toMatchObject({
      accounts: [{ outcome: "rate_limited", retryAt: rateLimitedUntil, requests: 0 }],
    })
    await person.connects(provider)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited", retryAt: rateLimitedUntil }] })
    await person.validateTokens()
    expect(await asked(person, provider)).toBe(0)
    expect(await person.alarmAt()).toBe(rateLimitedUntil)
    await simulator.publish(sources[0] ?? "", 1)
    clock.aheadMs = (rateLimitedUntil ?? 0) - Date.now() + 1000
    await person.alarm()
    expect(await person.newIds()).toHaveLength(1)
    expect(await account(person, provider)).toMatchObject({
      rateLimitedUntil: null,
      rateLimitReason: null,
      state: "connected",
    })
  })

  it("keeps the other provider back from nothing", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const [channel = ""] = await makeSources("youtube", 1)
    const person = await settled([show, channel], "spotify", "youtube")
    await simulator.setFaults([
      {
        match: { person: person.id, provider: "spotify" },
        fault: { type: "rate_limited", retryAfterSeconds: 7200 },
      },
    ])
    await simulator.publish(channel, 1)
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    expect(await person.alarmAt()).toBeLessThanOrEqual(now() + 6 * hour)
  })

  it("that arrives while a pass is under way outlives that pass", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await simulator.publish(show, 1)
    const gate = await simulator.hold({ person: person.id, kind: "items" })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    await limit(person, { type: "rate_limited", retryAfterSeconds: 7200 })
    await person.validateTokens()
    await simulator.release(gate)
    expect(await poll).toMatchObject({ delivered: 1 })
    expect((await account(person, "spotify")).rateLimitedUntil).toBeGreaterThan(now() + hour)
  })

  it("that is missing or makes no sense is half a minute", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await limit(person, { type: "status", status: 429, headers: { "Retry-After": "soon" } })
    await person.pollNow()
    const { rateLimitedUntil } = await account(person, "spotify")
    expect(rateLimitedUntil).toBeGreaterThan(now() + 20_000)
    expect(rateLimitedUntil).toBeLessThanOrEqual(now() + 33_000)
  })
})

describe("A daily quota that is used up", () => {
  it("ends at another moment for each person", async () => {
    const channels = await makeSources("youtube", 1)
    const people = await Promise.all(Array.from({ length: 4 }, () => settled(channels, "youtube")))
    await Promise.all(people.map((person) => limit(person, { type: "quota_exceeded" })))
    const ends = await Promise.all(
      people.map(async (person) => {
        await person.pollNow()
        return (await account(person, "youtube")).rateLimitedUntil
      }),
    )
    expect(new Set(ends).size).toBe(people.length)
  })

  it.each([
    // Summer time begins on 14 March 2027 and ends on 7 November 2027: those days have 23 and 25 hours.
    ["on an ordinary day", "2027-01-20T20:00:00Z", "2027-01-21T08:00:00Z"],
    ["on the day on which summer time begins", "2027-03-14T09:00:00Z", "2027-03-15T07:00:00Z"],
    ["on the day on which it ends", "2027-11-07T08:00:00Z", "2027-11-08T08:00:00Z"],
  ])("%s is waited out until midnight in California", async (_when, at, midnight) => {
    const channels = await makeSources("youtube", 3)
    const person = await settled(channels, "youtube")
    const published = (await simulator.publish(channels[0] ?? "", 1)).map(({ id }) => id)
    clock.aheadMs = Date.parse(at) - Date.now()
    await limit(person, { type: "quota_exceeded" }, "items")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    const limited = await account(person, "youtube")
    expect(limited).toMatchObject({ rateLimitReason: "quota_exceeded", state: "connected" })
    const until = limited.rateLimitedUntil ?? 0
    expect(until).toBeGreaterThanOrEqual(Date.parse(midnight))
    expect(until).toBeLessThanOrEqual(Date.parse(midnight) + 15 * minute)
    await evictDurableObject(person.stub)
    await simulator.clearLedger(person.id)
    // The object's own alarms in between are for D1 alone.
    for (let at = await person.alarmAt(); at !== null && at < until; at = await person.alarmAt()) {
      clock.aheadMs = at - Date.now()
      await person.alarm()
    }
    expect(await person.alarmAt()).toBe(until)
    clock.aheadMs = Date.parse(midnight) - minute - Date.now()
    await person.pollNow()
    expect(await asked(person, "youtube")).toBe(0)
    clock.aheadMs = until + minute - Date.now()
    await person.alarm()
    expect(await person.newIds()).toEqual(published)
  })

  it("is waited for by Spotify's own Retry-After", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await limit(person, { type: "quota_exceeded" })
    await person.pollNow()
    const { rateLimitedUntil, rateLimitReason } = await account(person, "spotify")
    expect(rateLimitReason).toBe("quota_exceeded")
    expect(rateLimitedUntil).toBeGreaterThan(now() + 0.9 * hour)
  })
})
