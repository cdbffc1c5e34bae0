import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import { watched } from "../move/watched.ts"
import { clear, connect, feedOf, ledgerEnd, ledgerOf, run, settle, simulator } from "./people.ts"

beforeEach(clear)

const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)
const rowOf = (userId: string) =>
  env.DB.prepare("SELECT * FROM user_accounts WHERE user_id = ?1").bind(userId).first<Record<string, string | number>>()

describe("somebody whose account fails", () => {
  it("stops nobody, and is counted by the reason", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 2 })
    const people = await settle(5, [source], { expiresInSeconds: -1 })
    const [revoked = "", poisoned = "", narrow = "", ...others] = people
    await simulator.revoke(revoked, "spotify")
    await env.DB.prepare("UPDATE user_accounts SET refresh_token = NULL WHERE user_id = ?1").bind(poisoned).run()
    const grant = await simulator.grant(narrow, "spotify", { scope: ["user-read-playback-position"] })
    await env.DB.prepare("UPDATE user_accounts SET access_token = ?2, expires_at = ?3 WHERE user_id = ?1")
      .bind(narrow, grant.accessToken, grant.expiresAt)
      .run()
    expect(await run()).toMatchObject({
      found: 5,
      polled: 2,
      failed: 3,
      failures: [{ tag: "ReauthorizationRequired", count: 3 }],
      isComplete: true,
    })
    for (const userId of others) expect((await feedOf(userId)).backfill).toHaveLength(2)
    for (const userId of [revoked, narrow])
      expect(await rowOf(userId)).toMatchObject({ state: "reauthorization_required" })
    // Nobody asks again for those who have to connect anew.
    expect(await run()).toMatchObject({ found: 3, polled: 2, failed: 1 })
  })

  it("by a false refusal is polled again as soon as the grant is tried again, by the run", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 2 })
    const [userId = ""] = await settle(1, [source], { expiresInSeconds: -1 })
    const fault = { type: "invalid_grant" } as const
    const [refuses = ""] = await simulator.setFaults([{ match: { person: userId, kind: "token" }, fault }])
    expect(await run()).toMatchObject({ found: 1, failed: 1 })
    await simulator.clearFaults([refuses])
    expect(await run()).toMatchObject({ found: 0 })
    await env.DB.prepare("UPDATE user_accounts SET refresh_retry_at = ?2 WHERE user_id = ?1")
      .bind(userId, Date.now() - 1)
      .run()
    expect(await run()).toMatchObject({ found: 1, polled: 1, items: 2 })
    expect(await rowOf(userId)).toMatchObject({ state: "connected", refusals: 0, refresh_retry_at: null })
  })

  it("because the provider rejects a token that has not expired has it refreshed, once", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 2 })
    const [userId = ""] = await settle(1, [source])
    await simulator.expireAccessTokens({ person: userId })
    expect(await run()).toMatchObject({ polled: 1, items: 2 })
    expect((await simulator.counts({ person: userId, kind: "token" })).total).toBe(1)
    expect(await simulator.tokenState(userId, "spotify")).toMatchObject({ reuses: 0 })
  })

  it("because their library cannot be read keeps what they follow and where the poller stopped", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 2 })
    const [userId = ""] = await settle(1, [source])
    await run()
    const published = ids(await simulator.publish(source, 2))
    const fault = { type: "html" } as const
    const [fails = ""] = await simulator.setFaults([{ match: { person: userId, kind: "library" }, fault }])
    expect(await run()).toMatchObject({ failed: 1, failures: [{ tag: "ProviderUnavailable" }] })
    await simulator.clearFaults([fails])
    expect(await run()).toMatchObject({ items: 2, failed: 0 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })
})

describe("a source that fails", () => {
  it("stops no other, and is asked again by the next run", async () => {
    const [good = "", bad = ""] = await simulator.createSources([
      { provider: "youtube", items: 1 },
      { provider: "youtube", items: 1 },
    ])
    const [userId = ""] = await settle(1, [good, bad], { provider: "youtube" })
    await run()
    const published = ids([...(await simulator.publish(good, 1)), ...(await simulator.publish(bad, 60))])
    // The first page is answered, the second is not.
    const match = { person: userId, kind: "items", path: "pageToken" } as const
    const [fails = ""] = await simulator.setFaults([{ match, fault: { type: "status", status: 500 } }])
    expect(await run()).toMatchObject({
      items: 1,
      polled: 1,
      failed: 0,
      failures: [{ tag: "ProviderUnavailable", count: 1 }],
    })
    await simulator.clearFaults([fails])
    await run()
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })

  it("because its new videos cannot be described delivers none of them half", async () => {
    const source = await simulator.createSource({ provider: "youtube", items: 1 })
    const [userId = ""] = await settle(1, [source], { provider: "youtube" })
    await run()
    const published = ids(await simulator.publish(source, 2))
    const match = { person: userId, kind: "details" } as const
    const [fails = ""] = await simulator.setFaults([{ match, fault: { type: "truncated" } }])
    expect(await run()).toMatchObject({ items: 0, failures: [{ tag: "ProviderUnavailable" }] })
    await simulator.clearFaults([fails])
    expect(await run()).toMatchObject({ items: 2 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })
})

describe("a provider that asks for silence", () => {
  it("is waited for where it is short, and everybody is polled", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const [, second = ""] = await settle(3, [source])
    const fault = { type: "rate_limited", retryAfterSeconds: 1 } as const
    await simulator.setFaults([{ match: { person: second, kind: "library" }, fault, times: 1 }])
    expect(await run()).toMatchObject({ found: 3, polled: 3, failed: 0, isComplete: true })
  })

  it("for hours is left alone by this run and the next, which then goes on where it stopped; the other is polled", async () => {
    const [show = "", channel = ""] = await simulator.createSources([
      { provider: "spotify", items: 1 },
      { provider: "youtube", items: 1 },
    ])
    const people = await settle(4, [show, channel])
    await connect(people, "youtube")
    const match = { person: people[2] ?? "", kind: "library", provider: "youtube" } as const
    const [fails = ""] = await simulator.setFaults([{ match, fault: { type: "quota_exceeded" } }])
    const variables = { LEGACY_BATCH_SIZE: "1" }
    const first = await run({ variables })
    expect(first).toMatchObject({ polled: 6, isComplete: false, stoppedAfter: { spotify: null, youtube: people[1] } })
    expect(first.holds).toMatchObject([{ provider: "youtube", reason: "quota_exceeded" }])
    const since = await ledgerEnd()
    expect(await run({ variables })).toMatchObject({ polled: 4, isComplete: false, holds: first.holds })
    expect((await ledgerOf(people, since)).filter(({ provider }) => provider === "youtube")).toEqual([])

    await simulator.clearFaults([fails])
    await env.DB.prepare("UPDATE durable_object_metrics SET figures = json_set(figures, '$.holds', json('[]'))").run()
    const then = await ledgerEnd()
    expect(await run({ variables })).toMatchObject({ polled: 8, isComplete: true, stoppedAfter: { youtube: null } })
    const libraries = (await ledgerOf(people, then)).filter(
      ({ provider, kind }) => provider === "youtube" && kind === "library",
    )
    const order = libraries.map(({ person }) => person)
    expect(order).toEqual([people[2], people[3], people[0], people[1]])
  })
})

describe("D1", () => {
  it("not taking a batch loses nothing: the next run does it again", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 1 })
    const [userId = ""] = await settle(1, [source])
    await run()
    const published = ids(await simulator.publish(source, 2))
    const figures = await run({ database: watched({ failingBatches: 10 }).database })
    expect(figures).toMatchObject({ failed: 1, items: 0, failures: [{ tag: "DatabaseUnavailable" }] })
    expect(await run()).toMatchObject({ items: 2 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })
})

describe("an account that D1 gives away while it is polled", () => {
  it("is not written for any more: not its feed, not what it follows, not its cursor", async () => {
    const [show = "", left = "", added = ""] = await simulator.createSources([
      { provider: "spotify", items: 1 },
      { provider: "spotify", items: 1 },
      { provider: "spotify", items: 1 },
    ])
    const [moved = "", stays = ""] = await settle(2, [show, left])
    await run()
    const [{ id = "" } = {}] = await simulator.publish(show, 1)
    for (const userId of [moved, stays]) {
      await simulator.unsubscribe(userId, left)
      await simulator.subscribe(userId, added)
    }
    const written = () =>
      env.DB.prepare(
        `SELECT external_id, polled_at, item_count FROM user_subscriptions WHERE user_id = ?1
         UNION ALL SELECT external_id, 0, 0 FROM user_feed_items WHERE user_id = ?1`,
      )
        .bind(moved)
        .all()
    const before = (await written()).results
    const gate = await simulator.hold({ person: stays, kind: "library" })
    const running = run()
    await simulator.waitForHeld(gate)
    await env.DB.prepare("UPDATE user_accounts SET holder = 'object', epoch = 2 WHERE user_id = ?1").bind(moved).run()
    await simulator.release(gate)
    await running
    expect((await written()).results).toEqual(before)
    expect((await feedOf(stays)).fresh).toEqual([id])
  })
})

describe("with a tenth of all requests failing", () => {
  it("everything published is delivered to everybody in the end, once", async () => {
    const shows = await simulator.createSources(
      Array.from({ length: 6 }, () => ({ provider: "spotify", items: 4 }) as const),
    )
    const channels = await simulator.createSources(
      Array.from({ length: 6 }, () => ({ provider: "youtube", items: 4 }) as const),
    )
    const people = await settle(20, [...shows, ...channels], { expiresInSeconds: -1 })
    await connect(people, "youtube", -1)
    await run()
    const faults = await Promise.all(people.map((person) => simulator.randomFaults({ rate: 0.1, match: { person } })))
    const published: Array<string> = []
    for (const count of [1, 55, 2]) {
      const many = await simulator.publishMany([...shows, ...channels].map((source) => ({ source, count })))
      published.push(...ids(many.flat()))
      await run()
    }
    await simulator.clearFaults(faults.flat())
    await run()
    for (const userId of people) {
      const { fresh, backfill } = await feedOf(userId)
      expect(fresh.toSorted()).toEqual(published.toSorted())
      expect(backfill).toHaveLength(48)
    }
    const states = await Promise.all(people.map((userId) => simulator.tokenState(userId, "spotify")))
    expect(states.reduce((sum, { reuses }) => sum + reuses, 0)).toBe(0)
  })
})
