import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { Person, simulator } from "../person.ts"

const minute = 60_000
const day = 24 * 60 * minute

afterEach(() => {
  clock.aheadMs = 0
})

/** Somebody who follows one show and one channel. */
const somebody = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 2 })
  const channel = await simulator.createSource({ provider: "youtube", items: 2 })
  return new Person().follows(show, channel)
}

/** Somebody with one account whose first poll is over, so that no alarm is about to do anything. */
const settled = async (provider: Provider = "spotify") => {
  const person = await somebody()
  await person.connects(provider)
  await person.pollNow()
  return person
}

const tokenRequests = async (person: Person, provider: Provider = "spotify") =>
  (await simulator.ledger({ person: person.id, provider, kind: "token" })).length

/** Makes the access token expire for the object; the provider would still take it. */
const expire = () => {
  clock.aheadMs += 60 * minute
}

const events = async (person: Person) => (await person.status()).events.map(({ type }) => type)

const account = async (person: Person, provider: Provider = "spotify") =>
  (await person.status()).accounts.find((one) => one.provider === provider)

describe("An access token is refreshed", () => {
  it("once, for 100 callers at the same moment", async () => {
    const person = await settled()
    expire()
    const outcomes = await Promise.all([
      ...Array.from({ length: 50 }, async () => (await person.pollNow()).accounts[0]?.outcome),
      ...Array.from({ length: 50 }, async () => (await person.refreshTokens()).accounts[0]?.outcome),
    ])
    expect(outcomes.filter((outcome) => outcome === "polled")).toHaveLength(50)
    expect(outcomes.filter((outcome) => outcome === "refreshed" || outcome === "still_valid")).toHaveLength(50)
    expect(await tokenRequests(person)).toBe(1)
  })

  it("5 minutes before it expires, and not earlier", async () => {
    const person = await settled()
    clock.aheadMs = 54 * minute
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "still_valid" }] })
    expect(await tokenRequests(person)).toBe(0)
    clock.aheadMs = 55 * minute + 1000
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await tokenRequests(person)).toBe(1)
  })

  it("when asked with force", async () => {
    const person = await settled("youtube")
    expect(await person.refreshTokens({ provider: "youtube", force: true })).toMatchObject({
      accounts: [{ outcome: "refreshed", reason: null }],
    })
    expect(await tokenRequests(person, "youtube")).toBe(1)
  })

  it("once when the provider rejects it in six requests at once, and each of them is repeated once", async () => {
    const shows = await simulator.createSources(
      Array.from({ length: 6 }, () => ({ provider: "spotify" as const, items: 1 })),
    )
    const person = await new Person().follows(...shows)
    await person.connects("spotify")
    await person.pollNow()
    for (const show of shows) await simulator.publish(show, 1)
    // The library is answered; then the token dies, with six requests for episodes under way.
    const gate = await simulator.hold({ person: person.id, kind: "items" }, { times: 6 })
    const before = (await simulator.ledger({ person: person.id })).at(-1)?.seq ?? 0
    const poll = person.pollNow()
    await simulator.waitForHeld(gate, 6)
    await simulator.expireAccessTokens({ person: person.id })
    await simulator.release(gate)
    expect(await poll).toMatchObject({ accounts: [{ outcome: "polled", failed: 0 }], delivered: 6 })
    expect(await tokenRequests(person)).toBe(1)
    const asked = await simulator.ledger({ person: person.id, kind: "items", since: before })
    expect(asked.filter(({ status }) => status === 401)).toHaveLength(6)
    expect(asked.filter(({ status }) => status === 200)).toHaveLength(6)
  })

  it("once and no more when the provider rejects what it has just issued", async () => {
    const person = await settled()
    await simulator.setFaults([
      { match: { person: person.id, kind: "library" }, fault: { type: "status", status: 401 } },
    ])
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "unavailable" }] })
    expect(await tokenRequests(person)).toBe(1)
    expect(await account(person)).toMatchObject({ state: "connected" })
  })

  it("after 30 days in which nothing used it, by the alarm", async () => {
    const person = await settled("youtube")
    await runInDurableObject(person.stub, (_instance, state) => {
      // Nothing polls: the provider has asked for a very long silence, which is over now.
      const distant = Date.now() + 90 * day
      state.storage.sql.exec("UPDATE subscriptions SET is_count_unreliable = 1, due_at = ?1", distant)
    })
    clock.aheadMs = 29 * day
    await person.wake()
    await person.alarm()
    expect(await tokenRequests(person, "youtube")).toBe(0)
    clock.aheadMs = 30 * day + minute
    await person.wake()
    await person.alarm()
    expect(await tokenRequests(person, "youtube")).toBe(1)
    expect(await account(person, "youtube")).toMatchObject({ state: "connected" })
  })
})

describe("A rotated refresh token", () => {
  it("survives an eviction between the provider's answer and the next use", async () => {
    const person = await settled()
    await person.refreshTokens({ force: true })
    const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
    await evictDurableObject(person.stub)
    const exported = await person.exportTokens()
    expect(String(exported.accounts[0]?.tokens.refreshToken)).not.toContain("AQsim")
    await person.refreshTokens({ force: true })
    const after = await simulator.tokenState(person.id, "spotify")
    expect(after).toMatchObject({ refreshes: 2, reuses: 0 })
    expect(after.newestRefreshToken).not.toBe(newestRefreshToken)
  })

  it("is stored before its access token is first used", async () => {
    const person = await settled()
    expire()
    const gate = await simulator.hold({ person: person.id, kind: "library" })
    const poll = person.pollNow().catch(() => undefined)
    await simulator.waitForHeld(gate)
    await abortAllDurableObjects()
    await simulator.release(gate)
    await poll
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    await person.refreshTokens({ force: true })
    expect(await simulator.tokenState(person.id, "spotify")).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it("does not end the grant when the answer that carried it was lost", async () => {
    const person = await settled()
    await simulator.setFaults([
      { match: { person: person.id, kind: "token" }, fault: { type: "reset" }, afterProcessing: true, times: 1 },
    ])
    expire()
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "unavailable" }] })
    clock.aheadMs += 60 * minute
    await person.alarm()
    expect(await account(person)).toMatchObject({ state: "connected", failures: 0 })
    expect(await simulator.tokenState(person.id, "spotify")).toMatchObject({ refreshes: 2 })
  })

  it("gives way to the one before it when it is refused before it has ever worked", async () => {
    const person = await settled()
    await person.refreshTokens({ force: true })
    // The provider says that it has never heard of the new one; the one before it is accepted until the new one is used.
    await simulator.setFaults([
      {
        match: { person: person.id, kind: "token" },
        fault: { type: "status", status: 400, body: { error: "invalid_grant" } },
        times: 1,
      },
    ])
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await simulator.tokenState(person.id, "spotify")).toMatchObject({ refreshes: 2, reuses: 1 })
    // What is kept now is what has worked, also where a refresh brings no new refresh token.
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await account(person)).toMatchObject({ state: "connected" })
  })

  it("lets go of the one before it once it has worked", async () => {
    const person = await settled()
    await person.refreshTokens({ force: true })
    await person.pollNow()
    await simulator.setFaults([
      {
        match: { person: person.id, kind: "token" },
        fault: { type: "status", status: 400, body: { error: "invalid_grant" } },
        times: 1,
      },
    ])
    expect(await person.refreshTokens({ force: true })).toMatchObject({
      accounts: [{ outcome: "reauthorization_required" }],
    })
    expect(await tokenRequests(person)).toBe(2)
  })
})

describe("A token set while a refresh is under way wins", () => {
  const during = async (change: (person: Person) => Promise<unknown>) => {
    const person = await settled()
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { afterProcessing: true, times: 1 })
    const refresh = person.refreshTokens({ force: true })
    await simulator.waitForHeld(gate)
    await change(person)
    await simulator.release(gate)
    return { person, refreshed: (await refresh).accounts[0] }
  }
  const accessTokenOf = async (person: Person) => {
    const { accounts } = await person.exportTokens()
    return accounts[0]
  }

  it("over what the refresh brings", async () => {
    let expiresAt = 0
    const { person } = await during(async (one) => {
      await one.connects("spotify", { expiresInSeconds: 1234 })
      expiresAt = (await account(one))?.expiresAt ?? 0
    })
    expect((await accessTokenOf(person))?.tokens.expiresAt).toBe(expiresAt)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("also when the account was removed in between", async () => {
    let expiresAt = 0
    const { person } = await during(async (one) => {
      await one.removeToken("spotify")
      await one.connects("spotify", { expiresInSeconds: 1234 })
      expiresAt = (await account(one))?.expiresAt ?? 0
    })
    expect((await accessTokenOf(person))?.tokens.expiresAt).toBe(expiresAt)
  })

  it("over invalid_grant for the old one", async () => {
    const person = await settled()
    await simulator.revoke(person.id, "spotify")
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { times: 1 })
    const refresh = person.refreshTokens({ force: true })
    await simulator.waitForHeld(gate)
    await person.connects("spotify")
    await simulator.release(gate)
    expect(await refresh).toMatchObject({ accounts: [{ outcome: "refreshed", reason: null }] })
    expect(await account(person)).toMatchObject({ state: "connected" })
    expect(await events(person)).not.toContain("reauthorization_required")
  })

  it("and a token removed meanwhile stays removed", async () => {
    const { person, refreshed } = await during((one) => one.removeToken("spotify"))
    expect(refreshed).toMatchObject({ outcome: "failed" })
    expect(await account(person)).toMatchObject({ state: "disconnected", expiresAt: null })
    expect((await person.exportTokens()).accounts).toEqual([])
  })
})
