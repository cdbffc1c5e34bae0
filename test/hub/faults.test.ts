import { env } from "cloudflare:workers"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { Fault } from "../../local/simulator/model.ts"
import { d1Outage, lostAnswers } from "../object/outage.ts"
import { simulator } from "../object/person.ts"
import { clock, outages } from "../worker.ts"
import {
  askedSince,
  ChannelHub,
  follower,
  hasNew,
  idsIn,
  lastRequest,
  makeChannel,
  publish,
  withHubs,
  withoutHubs,
} from "./following.ts"

beforeEach(() => withHubs())
afterEach(async () => {
  clock.aheadMs = 0
  outages.hubs = false
  vi.restoreAllMocks()
  await simulator.clearFaults()
})

const hour = 3_600_000

/** Spoils the feeds of channels: other files ask the same simulator. */
const breakFeeds = (channels: ReadonlyArray<string>, fault: Fault) =>
  simulator.setFaults(channels.map((channel) => ({ match: { path: `channel_id=${channel}` }, fault })))

const makeChannels = (count: number) =>
  simulator.createSources(Array.from({ length: count }, () => ({ provider: "youtube" as const, items: 3 })))

describe("the feed of a channel", () => {
  it.each<[string, Fault]>([
    ["is missing, as for hours on most days", { type: "status", status: 404 }],
    ["is refused to a shared address", { type: "status", status: 429 }],
    ["is half there", { type: "truncated" }],
    ["is a page of HTML", { type: "html" }],
    ["has no entries", { type: "status", status: 200, body: "<feed></feed>" }],
    [
      "has entries that cannot be read",
      { type: "status", status: 200, body: "<feed><entry><title>x</title></entry></feed>" },
    ],
    ["is never there", { type: "reset" }],
  ])("%s: nothing is concluded from that, and the API finds what is new", async (_, fault) => {
    const channel = await makeChannel()
    const person = await follower(channel)
    await breakFeeds([channel], fault)
    const published = await publish(channel)
    const hub = new ChannelHub(channel)
    await hub.wakesUntil(hasNew(person))
    expect(await person.newIds()).toEqual(published)
    expect(await hub.sql("SELECT state FROM subscriptions")).toEqual([{ state: "active" }])
  })

  it("fails with all others as one fact: three are tried in a wake, and nothing is written about any", async () => {
    withHubs(1)
    const channels = await makeChannels(12)
    await follower(...channels)
    const hub = new ChannelHub(channels[0] ?? "")
    await hub.wakes(1)
    await breakFeeds(channels, { type: "status", status: 404 })
    await hub.wakesUntil(async () => (await hub.sql("SELECT feeds_out_since AS since FROM hub"))[0]?.["since"] !== null)
    for (let wakes = 0; wakes < 3; wakes += 1) {
      const before = await lastRequest()
      await hub.wakes(1)
      expect((await askedSince(before, { channels }))["videos.xml"] ?? 0).toBeLessThanOrEqual(3)
    }
    expect(await hub.sql("SELECT sum(feed_failures) AS failures FROM watched")).toEqual([{ failures: 0 }])
    await simulator.clearFaults()
    await hub.wakesUntil(async () => (await hub.sql("SELECT feeds_out_since AS since FROM hub"))[0]?.["since"] === null)
    expect(await hub.sql("SELECT feeds_out_since AS since FROM hub")).toEqual([{ since: null }])
  })

  it("that has more new videos than it shows leaves none out", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const published = await publish(channel, 40)
    await new ChannelHub(channel).wakesUntil(async () => (await person.newIds()).length >= 40)
    expect((await person.newIds()).sort()).toEqual(published.toSorted())
  })
})

describe("a quota that is used up", () => {
  it("costs a hub one refused request, and what was found is delivered when it is there again", async () => {
    withHubs(1)
    const channels = await makeChannels(5)
    const person = await follower(...channels)
    const published: Array<string> = []
    for (const channel of channels) published.push(...(await publish(channel)))
    const ofTheirs = [...channels.map((id) => id.replace(/^UC/, "UU")), ...published]
    await simulator.setFaults(ofTheirs.map((path) => ({ match: { path }, fault: { type: "quota_exceeded" } })))
    const hub = new ChannelHub(channels[0] ?? "")
    const before = await lastRequest()
    await hub.wakes(4)
    const { "videos.xml": _, ...refused } = await askedSince(before, { channels, videos: published })
    expect(refused).toEqual({ videos: 1 })
    expect(await person.newIds()).toEqual([])
    await simulator.clearFaults()
    clock.aheadMs += 26 * hour
    await hub.wakesUntil(async () => (await person.newIds()).length === 5)
    expect((await person.newIds()).sort()).toEqual(published.toSorted())
  })
})

describe("D1", () => {
  it("that is down loses nothing, and doubles nothing", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const published = await publish(channel)
    const hub = new ChannelHub(channel)
    {
      await using _ = await d1Outage("feed_items")
      await hub.wakesUntil(async () => Number((await hub.sql("SELECT count(*) AS rows FROM outbox"))[0]?.["rows"]) > 0)
      await hub.evict()
    }
    await hub.wakesUntil(hasNew(person))
    expect(await person.newIds()).toEqual(published)
    expect(await hub.sql("SELECT * FROM outbox")).toEqual([])
  })

  it("that takes a delivery of which the answer is lost has each item once", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const published = await publish(channel)
    const hub = new ChannelHub(channel)
    {
      using _ = lostAnswers(1)
      await hub.wakesUntil(hasNew(person))
    }
    await hub.wakes(2)
    expect(await person.newIds()).toEqual(published)
    expect(await hub.sql("SELECT * FROM outbox")).toEqual([])
  })
})

describe("a hub that does not answer", () => {
  it("leaves the channel with the object, which finds what is new by itself, until the hub answers", async () => {
    outages.hubs = true
    const channel = await makeChannel()
    const person = await follower(channel)
    expect(await person.feed()).toHaveLength(5)
    const first = await publish(channel)
    clock.aheadMs = hour
    await person.pollNow()
    expect(await person.newIds()).toEqual(first)
    outages.hubs = false
    const second = await publish(channel)
    await person.pollNow()
    expect((await person.newIds()).sort()).toEqual([...second, ...first].sort())
    const third = await publish(channel)
    await new ChannelHub(channel).wakesUntil(async () => (await person.newIds()).length === 3)
    expect((await person.newIds()).sort()).toEqual([...third, ...second, ...first].sort())
  })
})

describe("the API key", () => {
  it("that is taken away and given back loses nothing: objects and hubs go on from what they know", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const all = await idsIn(person)
    all.push(...(await publish(channel)))
    await new ChannelHub(channel).wakesUntil(hasNew(person))
    withoutHubs()
    await person.evict()
    all.push(...(await publish(channel)))
    await person.pollNow()
    expect(await idsIn(person)).toEqual(all.toSorted())
    withHubs()
    await person.evict()
    all.push(...(await publish(channel)))
    await person.pollNow()
    expect(await idsIn(person)).toEqual(all.toSorted())
  })
})

describe("what appears between the hub's first look and the object's own", () => {
  it("is in the feed once, whoever finds it", async () => {
    const channel = await makeChannel()
    const ada = await follower(channel)
    const gate = await simulator.hold({ path: channel.replace(/^UC/, "UU") })
    const late = (async () => follower(channel))()
    await simulator.waitForHeld(gate)
    const published = await publish(channel)
    await new ChannelHub(channel).wakesUntil(hasNew(ada))
    await simulator.release(gate)
    const bob = await late
    expect((await bob.feed()).filter(({ id }) => published.includes(id))).toHaveLength(1)
  })
})

describe("somebody whose account D1 holds", () => {
  it("gets nothing from a hub, since the legacy poller looks after them", async () => {
    const channel = await makeChannel()
    const [ada, bob] = [await follower(channel), await follower(channel)]
    await env.DB.prepare("UPDATE user_accounts SET holder = 'database' WHERE user_id = ?1").bind(bob.id).run()
    await publish(channel)
    await new ChannelHub(channel).wakesUntil(hasNew(ada))
    expect(await bob.newIds()).toEqual([])
  })
})
