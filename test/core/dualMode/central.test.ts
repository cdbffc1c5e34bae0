import { env, exports } from "cloudflare:workers"
import { Effect } from "effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import { call } from "../../../src/rpc/call.ts"
import { ListSubscriptions } from "../../../src/rpc/methods.ts"
import { d1Outage, watchD1 } from "../../object/outage.ts"
import { Person, simulator } from "../../object/person.ts"
import { PersonInMove } from "../../object/personInMove.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

const list = call(ListSubscriptions, (wire) => exports.GatewayEntrypoint.listSubscriptions(wire))

/** Every page of what somebody follows, with the cursors between. */
const pages = async (person: Person, limit: number) => {
  const read = async (cursor?: string): Promise<ReadonlyArray<ReadonlyArray<string>>> => {
    const { subscriptions, next } = await Effect.runPromise(
      list({ userId: person.id, limit, ...(cursor === undefined ? {} : { cursor }) }),
    )
    const page = subscriptions.map(({ provider, sourceId }) => `${provider} ${sourceId}`)
    return next === null ? [page] : [page, ...(await read(next))]
  }
  return read()
}

/** Somebody who has not moved: D1 holds the account, and the legacy poller has polled three shows. */
const central = async () => {
  const shows = await simulator.createSources(Array.from({ length: 3 }, () => ({ provider: "spotify", items: 2 })))
  const person = (await new PersonInMove().follows(...shows)) as PersonInMove
  await person.hasInDatabase("spotify")
  for (const show of shows) await person.hasPolled(show, await simulator.items(show))
  return { person, shows }
}

/** The objects cannot be reached from now on. */
const unreachable = () =>
  vi.spyOn(env.USERS, "get").mockImplementation(() => {
    throw Object.assign(new Error("the platform is moving the object"), { overloaded: true })
  })

describe("What somebody follows who has not moved", () => {
  it("is listed from D1, in the shape and the pages of an object", async () => {
    const { person, shows } = await central()
    const expected = shows.map((show) => `spotify ${show}`).sort()
    expect(await pages(person, 500)).toEqual([expected])
    expect(await pages(person, 2)).toEqual([expected.slice(0, 2), expected.slice(2)])
    const items = await simulator.items(shows[0] ?? "")
    expect(await person.subscriptions()).toContainEqual(
      expect.objectContaining({
        sourceId: shows[0],
        state: "active",
        publishedAt: Math.max(...items.map(({ publishedAt }) => publishedAt)),
        failures: 0,
        reason: null,
      }),
    )
  })

  it("is listed by the object once that holds the account, and page two has the same cursor", async () => {
    const { person, shows } = await central()
    const first = await Effect.runPromise(list({ userId: person.id, limit: 2 }))
    await person.importGrant("spotify", await simulator.grant(person.id, "spotify"))
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2)
    await person.pollNow()
    const second = await Effect.runPromise(list({ userId: person.id, limit: 2, cursor: first.next ?? "" }))
    const listed = [...first.subscriptions, ...second.subscriptions].map(({ sourceId }) => sourceId)
    expect(listed).toEqual([...shows].sort())
    expect(second.next).toBeNull()
    // Handed back, the object's own list is no longer the answer.
    await person.handBack("spotify", 3)
    await person.switchTo("spotify", "database", 3)
    await env.DB.prepare("DELETE FROM user_subscriptions WHERE user_id = ?1 AND external_id = ?2")
      .bind(person.id, shows[0])
      .run()
    expect(await person.subscriptions()).toHaveLength(2)
  })

  it("is listed from both sides while the accounts are on both", async () => {
    const { person, shows } = await central()
    const channel = await simulator.createSource({ provider: "youtube", items: 1 })
    await simulator.subscribe(person.id, channel)
    await person.importGrant("youtube", await person.hasInDatabase("youtube"))
    await person.switchTo("youtube", "object", 2)
    await person.takeOver("youtube", 2)
    await person.pollNow()
    const expected = [...shows.map((show) => `spotify ${show}`).sort(), `youtube ${channel}`]
    expect(await pages(person, 500)).toEqual([expected])
    expect((await pages(person, 1)).flat()).toEqual(expected)
    expect((await pages(person, 3)).flat()).toEqual(expected)
  })

  it("is listed while the object cannot be reached, and not instead of an object that holds the account", async () => {
    const { person } = await central()
    const moved = await new Person().follows()
    await moved.connects("spotify")
    unreachable()
    expect(await person.subscriptions()).toHaveLength(3)
    await expect(moved.subscriptions()).rejects.toMatchObject({ _tag: "ObjectUnavailable" })
  })

  it("is not said to be nothing while D1 is down; who has moved does not depend on D1", async () => {
    const { person } = await central()
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const moved = await new Person().follows(show)
    await moved.connects("spotify")
    await moved.pollNow()
    await using _outage = await d1Outage("user_accounts")
    await expect(person.subscriptions()).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    await expect(person.status()).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    expect(await moved.subscriptions()).toHaveLength(1)
    expect((await moved.status()).accounts).toMatchObject([{ provider: "spotify", holder: "object" }])
  })
})

describe("The status of an account that D1 holds", () => {
  it("says so, with or without a copy in the object", async () => {
    const { person } = await central()
    const account = { provider: "spotify", holder: "database", epoch: 1, state: "connected", connectedAt: null }
    expect((await person.status()).accounts).toMatchObject([account])
    await person.importGrant("spotify", await simulator.grant(person.id, "spotify"))
    expect((await person.status()).accounts).toMatchObject([account])
  })

  it("stands beside that of an account that the object holds", async () => {
    const { person } = await central()
    await person.importGrant("youtube", await person.hasInDatabase("youtube"))
    await person.switchTo("youtube", "object", 2)
    await person.takeOver("youtube", 2)
    expect((await person.status()).accounts).toMatchObject([
      { provider: "spotify", holder: "database" },
      { provider: "youtube", holder: "object", epoch: 2 },
    ])
  })
})

describe("What a person may do with an account that D1 holds", () => {
  it("is to be told, when they poll, that the legacy poller does it: nothing is asked of the provider", async () => {
    const { person } = await central()
    const told = { provider: "spotify", outcome: "held_by_database", asked: 0, requests: 0 }
    expect(await person.pollNow()).toMatchObject({ accounts: [told], delivered: 0 })
    await person.importGrant("spotify", await simulator.grant(person.id, "spotify"))
    expect(await person.pollNow()).toMatchObject({ accounts: [told], delivered: 0 })
    expect(await person.requests()).toBe(0)
  })

  it("is to be told the truth between two holders: nobody polls it, and that ends by itself", async () => {
    const { person } = await central()
    await person.switchTo("spotify", "object", 2)
    const { accounts } = await person.pollNow()
    expect(accounts).toMatchObject([{ provider: "spotify", outcome: "unavailable", requests: 0 }])
    expect(accounts[0]?.reason).toContain("handed over")
  })

  it("is to validate it: D1's token is tried, and replaced if the provider rejects it", async () => {
    const { person } = await central()
    expect(await person.validateTokens()).toEqual({
      accounts: [{ provider: "spotify", isValid: true, reason: null }],
    })
    await simulator.expireAccessTokens({ person: person.id })
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: true }] })
    expect(await person.tokenRequests()).toBe(1)
    await simulator.revoke(person.id, "spotify")
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: false }] })
    expect(await person.row("spotify")).toMatchObject({ state: "reauthorization_required", holder: "database" })
  })

  it("is to connect again when D1's token lacks a scope, as it is when an object's does", async () => {
    const { person } = await central()
    const { accessToken } = await simulator.grant(person.id, "spotify", { scope: ["user-read-playback-position"] })
    await env.DB.prepare("UPDATE user_accounts SET access_token = ?2 WHERE user_id = ?1")
      .bind(person.id, accessToken)
      .run()
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: false }] })
    expect(await person.row("spotify")).toMatchObject({ state: "reauthorization_required", holder: "database" })
    expect(await person.tokenRequests()).toBe(0)
  })

  it("is to refresh it, by D1's side", async () => {
    const { person } = await central()
    expect(await person.refreshTokens()).toMatchObject({ accounts: [{ outcome: "still_valid" }] })
    expect(await person.refreshTokens({ provider: "spotify", force: true })).toMatchObject({
      accounts: [{ provider: "spotify", outcome: "refreshed", reason: null }],
    })
    const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
    expect((await person.row("spotify"))?.refresh_token).toBe(newestRefreshToken)
    await expect(person.refreshTokens({ provider: "youtube" })).rejects.toMatchObject({ _tag: "AccountNotConnected" })
  })

  it("costs those who have moved no query to D1 when they poll", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const person = await new Person().follows(show)
    await person.connects("spotify")
    await person.pollNow()
    using d1 = watchD1()
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(d1.queries()).toBe(0)
  })
})
