import { afterEach, describe, expect, it } from "vitest"
import type { Fault } from "../../../local/simulator/model.ts"
import { forever } from "../../forever.ts"
import { clock } from "../../worker.ts"
import { Person, simulator } from "../person.ts"

const minute = 60_000

afterEach(() => {
  clock.aheadMs = 0
})

const settled = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 2 })
  const person = await new Person().follows(show)
  await person.connects("spotify")
  await person.pollNow()
  return { person, show }
}
const account = async (person: Person) => (await person.status()).accounts[0]
const tokenRequests = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "token" })).length
const eventTypes = async (person: Person) => (await person.status()).events.map(({ type }) => type)

const faults: ReadonlyArray<[string, Fault]> = [
  ["resets the connection", { type: "reset" }],
  ["answers 500", { type: "status", status: 500 }],
  ["answers 503 without sense", { type: "status", status: 503, body: "" }],
  ["answers 400 without an OAuth error", { type: "status", status: 400, body: "nonsense" }],
  ["says invalid_grant with a 5xx", { type: "status", status: 502, body: { error: "invalid_grant" } }],
  ["says invalid_client", { type: "status", status: 401, body: { error: "invalid_client" } }],
  ["answers a page of HTML", { type: "html" }],
  ["answers a page of HTML with 400", { type: "html", status: 400 }],
  ["cuts its JSON short", { type: "truncated" }],
  ["answers JSON without a token", { type: "status", status: 200, body: {} }],
]

/** Whose one refresh has failed is still connected, asks no more before its time, and then has a new token. */
const recovers = async (person: Person, repair: () => Promise<void>) => {
  const failed = await account(person)
  expect(failed).toMatchObject({ state: "connected", failures: 1 })
  expect(await tokenRequests(person)).toBe(1)
  // Not before its time: who asks meanwhile is told, and nothing is asked of the endpoint.
  expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "failed" }] })
  expect(await tokenRequests(person)).toBe(1)

  await repair()
  const { alarmAt } = await person.status()
  expect(alarmAt).toBe(failed?.retryAt)
  clock.aheadMs = (alarmAt ?? 0) - Date.now() + 1000
  expect(await person.alarm()).toBe(true)
  expect(await account(person)).toMatchObject({ state: "connected", failures: 0, retryAt: null })
  expect(await eventTypes(person)).toEqual(expect.arrayContaining(["refresh_failed", "recovered"]))
}

describe("A token endpoint that", () => {
  it.each(faults)("%s leaves the account connected, which recovers by itself", async (_what, fault) => {
    const { person, show } = await settled()
    const ids = await simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault }])
    clock.aheadMs = 60 * minute
    const [published] = await simulator.publish(show, 1)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "unavailable" }] })
    await recovers(person, () => simulator.clearFaults(ids))
    expect(await person.newIds()).toEqual([published?.id])
  })

  it("hangs holds nobody for longer than it is given, and leaves the account connected, which recovers by itself", async () => {
    const { person, show } = await settled()
    const gate = await simulator.hold({ person: person.id, kind: "token" })
    clock.aheadMs = 60 * minute
    const [published] = await simulator.publish(show, 1)
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    clock.aheadMs += forever
    expect(await poll).toMatchObject({ accounts: [{ outcome: "unavailable" }] })
    await recovers(person, () => simulator.release(gate))
    expect(await person.newIds()).toEqual([published?.id])
  })

  it("keeps failing is asked less and less, and tells it once", async () => {
    const { person } = await settled()
    await simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault: { type: "reset" } }])
    clock.aheadMs = 60 * minute
    await person.pollNow()
    const waits: Array<number> = []
    for (let round = 0; round < 5; round += 1) {
      const { alarmAt } = await person.status()
      waits.push((alarmAt ?? 0) - Date.now() - clock.aheadMs)
      clock.aheadMs = (alarmAt ?? 0) - Date.now() + 1
      await person.alarm()
    }
    expect(waits.at(-1)).toBeGreaterThan((waits[0] ?? 0) * 4)
    expect(Math.max(...waits)).toBeLessThanOrEqual(60 * minute)
    expect((await eventTypes(person)).filter((type) => type === "refresh_failed")).toHaveLength(1)
    expect(await account(person)).toMatchObject({ state: "connected" })
  })

  it("answers 429 is left alone until Retry-After, hours later", async () => {
    const { person } = await settled()
    const ids = await simulator.setFaults([
      { match: { person: person.id, kind: "token" }, fault: { type: "rate_limited", retryAfterSeconds: 7200 } },
    ])
    clock.aheadMs = 60 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    const held = await account(person)
    expect(held).toMatchObject({ state: "connected" })
    expect((held?.rateLimitedUntil ?? 0) - Date.now() - clock.aheadMs).toBeGreaterThan(119 * minute)
    const before = (await simulator.counts({ person: person.id })).total
    await simulator.clearFaults(ids)
    await person.pollNow()
    await person.refreshTokens()
    await person.validateTokens()
    expect((await simulator.counts({ person: person.id })).total).toBe(before)
    const { alarmAt } = await person.status()
    expect(alarmAt).toBeGreaterThanOrEqual(held?.rateLimitedUntil ?? Number.POSITIVE_INFINITY)
    clock.aheadMs += 26 * 60 * minute
    await person.alarm()
    expect(await account(person)).toMatchObject({ state: "connected", failures: 0, rateLimitedUntil: null })
  })
})

describe("invalid_grant", () => {
  const revoked = async () => {
    const { person, show } = await settled()
    await simulator.revoke(person.id, "spotify")
    return { person, show }
  }

  it("is three attempts in about a day, an event, and then silence until setToken", async () => {
    const { person, show } = await revoked()
    clock.aheadMs = 60 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "reauthorization_required" }] })
    expect(await tokenRequests(person)).toBe(1)
    const status = await person.status()
    expect(status.accounts).toMatchObject([{ state: "reauthorization_required", reason: "invalid_grant" }])
    expect(status.events[0]).toMatchObject({ type: "reauthorization_required", detail: "invalid_grant" })

    for (const [round, atLeast] of [60 * minute, 23 * 60 * minute].entries()) {
      const { alarmAt } = await person.status()
      const wait = (alarmAt ?? 0) - Date.now() - clock.aheadMs
      expect(wait).toBeGreaterThan(atLeast - minute)
      expect(wait).toBeLessThan(atLeast * 1.5 + minute)
      clock.aheadMs += wait + 1000
      await person.alarm()
      expect(await tokenRequests(person)).toBe(2 + round)
    }
    const before = (await simulator.counts({ person: person.id })).total
    clock.aheadMs += 40 * 24 * 60 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "reauthorization_required", requests: 0 }] })
    expect(await person.refreshTokens({ force: true })).toMatchObject({
      accounts: [{ outcome: "reauthorization_required" }],
    })
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: false }] })
    await person.wake()
    await person.alarm()
    await person.alarm()
    expect((await simulator.counts({ person: person.id })).total).toBe(before)
    expect((await eventTypes(person)).filter((type) => type === "reauthorization_required")).toHaveLength(1)

    clock.aheadMs = 0
    const [published] = await simulator.publish(show, 1)
    await person.connects("spotify")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await person.newIds()).toEqual([published?.id])
    expect((await person.status()).accounts).toMatchObject([{ state: "connected", reason: null }])
  })

  it("for many callers at once is one attempt too", async () => {
    const { person } = await revoked()
    await Promise.all(Array.from({ length: 20 }, () => person.refreshTokens({ force: true })))
    expect(await tokenRequests(person)).toBe(1)
  })

  it("after a 401 of the API has the same end", async () => {
    const { person } = await revoked()
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: false }] })
    expect((await person.status()).accounts).toMatchObject([{ state: "reauthorization_required" }])
    expect(await tokenRequests(person)).toBe(1)
  })

  it("of one provider leaves the other alone", async () => {
    const { person } = await revoked()
    await person.connects("youtube")
    clock.aheadMs = 60 * minute
    await person.pollNow()
    expect((await person.status()).accounts.map(({ provider, state }) => [provider, state])).toEqual([
      ["spotify", "reauthorization_required"],
      ["youtube", "connected"],
    ])
  })
})
