import { runInDurableObject } from "cloudflare:test"
import { createHmac } from "node:crypto"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { makeGateway } from "../../src/gateway/makeGateway.ts"
import { gatewayEnv } from "../gateway/visitor.ts"
import { simulator } from "../object/person.ts"
import { clock, settings } from "../worker.ts"
import { askedSince, ChannelHub, follower, hasNew, lastRequest, makeChannel, publish, withHubs } from "./following.ts"

const publicUrl = "https://feeds.example"
const hour = 3_600_000
const day = 24 * hour

beforeEach(() => {
  withHubs()
  settings.PUBLIC_URL = publicUrl
})
afterEach(async () => {
  delete settings.PUBLIC_URL
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const gateway = makeGateway(gatewayEnv)

const visit = async (path: string, init: RequestInit = {}) => {
  const response = await gateway(new Request(`${publicUrl}${path}`, init), {
    waitUntil: () => undefined,
    passThroughOnException: () => undefined,
    props: {},
  } as unknown as ExecutionContext)
  return { status: response.status, text: await response.text() }
}

const pathOf = (channel: string) => `/websub/youtube/${channel}`

const subscriptionOf = async (channel: string) => (await simulator.pushSubscriptions(channel))[0]

/** Does what the WebSub hub does, which cannot reach this gateway: asks whether pushes were asked for. */
const confirm = async (channel: string, changes: Record<string, string> = {}) => {
  const asked = await subscriptionOf(channel)
  const query = new URLSearchParams({
    "hub.mode": "subscribe",
    "hub.topic": asked?.topic ?? "",
    "hub.challenge": "echo me",
    "hub.lease_seconds": String(asked?.leaseSeconds ?? 0),
    ...changes,
  })
  return visit(`${pathOf(channel)}?${query}`)
}

/** And pushes. */
const pushes = async (channel: string, ids: ReadonlyArray<string>, changes: { secret?: string; cut?: number } = {}) => {
  const secret = changes.secret ?? (await subscriptionOf(channel))?.secret ?? ""
  const body = (await simulator.push(channel, ids)).body.slice(0, changes.cut)
  const signature = `sha1=${createHmac("sha1", secret).update(body).digest("hex")}`
  return visit(pathOf(channel), { method: "POST", body, headers: { "x-hub-signature": signature } })
}

/** A followed channel whose pushes have been asked for. */
const pushedChannel = async () => {
  const channel = await makeChannel()
  const [person, bob] = [await follower(channel), await follower(channel)]
  const hub = new ChannelHub(channel)
  await hub.wakes()
  return { channel, person, bob, hub }
}

const rowOf = async (hub: ChannelHub) => (await hub.sql("SELECT * FROM pushes WHERE source_id = ?1", hub.channel))[0]

const hintsOf = (hub: ChannelHub) => hub.sql("SELECT * FROM hints WHERE source_id = ?1", hub.channel)

describe("pushes of a channel", () => {
  it("are asked for where the gateway has a public address, for 10 days, and confirmed by a challenge", async () => {
    const { channel, hub } = await pushedChannel()
    const asked = await subscriptionOf(channel)
    expect(asked).toMatchObject({ callback: `${publicUrl}${pathOf(channel)}`, leaseSeconds: 864_000 })
    expect(asked?.secret).toMatch(/^[0-9a-f]{64}$/)
    expect(await confirm(channel)).toEqual({ status: 200, text: "echo me" })
    const { leased_until: until } = (await rowOf(hub)) ?? {}
    expect(Math.round((Number(until) - Date.now() - clock.aheadMs) / day)).toBe(10)
  })

  it("are not asked for without one", async () => {
    delete settings.PUBLIC_URL
    const { channel, hub } = await pushedChannel()
    expect(await subscriptionOf(channel)).toBeUndefined()
    expect(await rowOf(hub)).toBeUndefined()
  })

  it("are not confirmed to anybody who was not asked", async () => {
    const { channel, hub } = await pushedChannel()
    expect((await confirm(channel, { "hub.topic": "https://elsewhere.example" })).status).toBe(404)
    expect((await confirm(channel, { "hub.mode": "publish" })).status).toBe(404)
    expect((await confirm(channel, { "hub.mode": "unsubscribe" })).status).toBe(404)
    expect((await confirm(await makeChannel())).status).toBe(404)
    expect((await visit("/websub/youtube/nobody?hub.mode=subscribe")).status).toBe(404)
    clock.aheadMs += 2 * hour
    expect((await confirm(channel)).status).toBe(404)
    expect((await rowOf(hub))?.["leased_until"]).toBeNull()
  })

  it("are renewed some days before they end, and asked for again if nobody confirmed", async () => {
    const { channel, hub } = await pushedChannel()
    const asked = async () => Number((await rowOf(hub))?.["asked_at"])
    const first = await asked()
    clock.aheadMs += 7 * hour
    await hub.wakes()
    const second = await asked()
    expect(second).toBeGreaterThan(first + 6 * hour)
    await confirm(channel)
    clock.aheadMs += 5 * day
    await hub.wakes()
    expect(await asked()).toBe(second)
    clock.aheadMs += 3.5 * day
    await hub.wakes()
    expect(await asked()).toBeGreaterThan(second + 6 * day)
  })

  it("are left alone for an hour where WebSub refuses, and looks go on", async () => {
    await simulator.setFaults([
      { match: { path: "/youtube/websub/subscribe" }, fault: { type: "status", status: 503 }, times: 100 },
    ])
    const { channel, person, hub } = await pushedChannel()
    expect(await subscriptionOf(channel)).toBeUndefined()
    const published = await publish(channel)
    await hub.wakesUntil(hasNew(person))
    expect(await person.newIds()).toEqual(published)
    await simulator.clearFaults()
    clock.aheadMs += 7 * hour
    await hub.wakes()
    expect(await subscriptionOf(channel)).toBeDefined()
  })
})

describe("a push", () => {
  it("brings a video to everybody within a minute, for one unit, and no look has to find it", async () => {
    const { channel, person, bob, hub } = await pushedChannel()
    await confirm(channel)
    const before = Date.now() + clock.aheadMs
    const seq = await lastRequest()
    const published = await publish(channel)
    expect(await pushes(channel, published)).toEqual({ status: 204, text: "" })
    expect(Number(await hub.alarmAt()) - before).toBeLessThan(60_000)
    await hub.wakes()
    expect(await person.newIds()).toEqual(published)
    expect(await bob.newIds()).toEqual(published)
    expect(await askedSince(seq, { channels: [channel], videos: published })).toEqual({ videos: 1 })
    expect(await hintsOf(hub)).toEqual([])
    expect(await rowOf(hub)).toMatchObject({ told: 1, missed: 0 })
  })

  it("that comes twice, or with what is known, or years late, brings nothing", async () => {
    const { channel, person, hub } = await pushedChannel()
    await confirm(channel)
    const published = await publish(channel)
    for (let times = 0; times < 2; times += 1) await pushes(channel, published)
    await hub.wakes()
    await pushes(channel, published)
    expect(await hintsOf(hub)).toEqual([])
    expect(await person.newIds()).toEqual(published)
  })

  it.each([
    ["is signed by somebody else", { secret: "another" }],
    ["is half", { cut: 300 }],
    ["is empty", { cut: 0 }],
  ])("that %s is dropped", async (_, changes) => {
    const { channel, hub } = await pushedChannel()
    await confirm(channel)
    expect((await pushes(channel, await publish(channel), changes)).status).toBe(204)
    expect(await hintsOf(hub)).toEqual([])
  })

  it("without a signature, or that is huge, reaches no hub", async () => {
    const { channel } = await pushedChannel()
    expect((await visit(pathOf(channel), { method: "POST", body: "<feed/>" })).status).toBe(204)
    const headers = { "x-hub-signature": "sha1=00" }
    expect((await visit(pathOf(channel), { method: "POST", body: "x".repeat(70_000), headers })).status).toBe(413)
    expect((await visit(pathOf(channel), { method: "DELETE" })).status).toBe(405)
  })

  it("of a channel that nobody follows may end", async () => {
    expect((await pushes(await makeChannel(), [])).status).toBe(410)
  })

  it("of what a look finds at the same time is done with", async () => {
    const { channel, person, hub } = await pushedChannel()
    await confirm(channel)
    const published = await publish(channel)
    await pushes(channel, published)
    // The API lists everything once every three days.
    await hub.sql("UPDATE subscriptions SET verify_at = 0 WHERE source_id = ?1", channel)
    await hub.wakes()
    expect(await person.newIds()).toEqual(published)
    expect(await hintsOf(hub)).toEqual([])
  })

  it("waits while the details cannot be read, and is not lost", async () => {
    const { channel, person, hub } = await pushedChannel()
    await confirm(channel)
    const published = await publish(channel)
    await simulator.setFaults([
      { match: { path: "/google/api/youtube/v3/videos" }, fault: { type: "status", status: 500 }, times: 1000 },
    ])
    await pushes(channel, published)
    await hub.wakes()
    expect(await hintsOf(hub)).toHaveLength(1)
    await simulator.clearFaults()
    await hub.wakesUntil(hasNew(person))
    expect(await person.newIds()).toEqual(published)
    expect(await hintsOf(hub)).toEqual([])
  })

  it("that never comes is noticed: looks count what they find first, and pushes are asked for again", async () => {
    const { channel, person, hub } = await pushedChannel()
    await confirm(channel)
    const askedAt = Number((await rowOf(hub))?.["asked_at"])
    await publish(channel, 3)
    await hub.wakesUntil(hasNew(person))
    expect(await rowOf(hub)).toMatchObject({ told: 0, missed: 3, asked_at: askedAt })
    clock.aheadMs = Math.max(clock.aheadMs, askedAt + day - Date.now())
    await hub.wakes()
    expect(await rowOf(hub)).toMatchObject({ missed: 0 })
    expect(Number((await rowOf(hub))?.["asked_at"])).toBeGreaterThan(askedAt)
  })
})

it("no secret of pushes is in an answer", async () => {
  const { channel, hub } = await pushedChannel()
  const { text } = await confirm(channel)
  const [self] = await runInDurableObject(hub.stub, (_instance, { storage }) =>
    storage.sql.exec<{ push_secret: string }>("SELECT push_secret FROM hub").toArray(),
  )
  expect(self?.push_secret).toHaveLength(64)
  expect(text).not.toContain(self?.push_secret)
})
