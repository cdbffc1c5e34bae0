import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { simulator } from "../object/person.ts"
import { clock } from "../worker.ts"
import { askedSince, ChannelHub, follower, hasNew, lastRequest, makeChannel, publish, withHubs } from "./following.ts"

beforeEach(() => withHubs())
afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

describe("a channel", () => {
  it("that nobody follows any more is let go within two days, and asked no more", async () => {
    const channel = await makeChannel()
    const person = await follower(channel, await makeChannel())
    const hub = new ChannelHub(channel)
    await simulator.unsubscribe(person.id, channel)
    await person.pollNow()
    await hub.wakesUntil(async () => (await hub.sql("SELECT * FROM subscriptions")).length === 0)
    expect(await hub.sql("SELECT * FROM watched")).toEqual([])
    expect(await hub.sql("SELECT * FROM items")).toEqual([])
    await hub.evict()
    expect(await hub.alarmAt()).toBeNull()
  })

  it("that somebody follows again is looked after again, with nothing missed and nothing twice", async () => {
    const channel = await makeChannel()
    const person = await follower(channel, await makeChannel(0))
    await simulator.unsubscribe(person.id, channel)
    await person.pollNow()
    const hub = new ChannelHub(channel)
    await hub.wakesUntil(async () => (await hub.sql("SELECT * FROM subscriptions")).length === 0)
    const meanwhile = await publish(channel)
    await simulator.subscribe(person.id, channel)
    await person.pollNow()
    const after = await publish(channel)
    await hub.wakesUntil(hasNew(person))
    const feed = (await person.feed()).map(({ id }) => id)
    expect(feed).toHaveLength(7)
    expect(new Set(feed).size).toBe(7)
    expect(feed).toEqual(expect.arrayContaining([...meanwhile, ...after]))
  })

  it("stays while D1 cannot say who follows it", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const hub = new ChannelHub(channel)
    await env.DB.prepare("ALTER TABLE user_subscriptions RENAME TO away").run()
    await hub.wakes(12)
    await env.DB.prepare("ALTER TABLE away RENAME TO user_subscriptions").run()
    expect(await hub.sql("SELECT source_id FROM subscriptions")).toHaveLength(1)
    await publish(channel)
    await hub.wakesUntil(hasNew(person))
    expect(await person.newIds()).toHaveLength(1)
  })

  it("has what appears before somebody follows it as their backfill, and what appears after as new", async () => {
    const channel = await makeChannel()
    const ada = await follower(channel)
    clock.aheadMs = 3_600_000
    const first = await publish(channel)
    await new ChannelHub(channel).wakesUntil(hasNew(ada))
    const bob = await follower(channel)
    expect(await bob.newIds()).toEqual([])
    expect(await bob.feed()).toHaveLength(6)
    expect(await ada.newIds()).toEqual(first)
  })
})

describe("another number of hubs", () => {
  it("takes channels over to the hubs that they are now, with nothing missed and nothing twice", async () => {
    withHubs(1)
    const channels = await simulator.createSources(
      Array.from({ length: 6 }, () => ({ provider: "youtube" as const, items: 2 })),
    )
    const person = await follower(...channels)
    const published: Array<string> = []
    const [one] = channels
    const first = new ChannelHub(one ?? "")
    const before = first.stub
    await first.wakes(1)
    for (const channel of channels) published.push(...(await publish(channel)))
    withHubs(50_000)
    await evictDurableObject(before)
    await runDurableObjectAlarm(before)
    for (const channel of channels) published.push(...(await publish(channel)))
    for (const channel of channels) {
      const hub = new ChannelHub(channel)
      const count = (await person.newIds()).length
      await hub.wakesUntil(async () => (await person.newIds()).length > count)
    }
    expect((await person.newIds()).sort()).toEqual(published.toSorted())
    const left = await runInDurableObject(before, (_instance, { storage }) =>
      storage.sql.exec("SELECT source_id FROM watched").toArray(),
    )
    expect(left).toEqual([])
  })
})

describe("a premiere", () => {
  it("is delivered when it can be watched, to all, and not before", async () => {
    const channel = await makeChannel()
    const [ada, bob] = [await follower(channel), await follower(channel)]
    const [premiere] = await simulator.publish(channel, [{ kind: "upcoming" }])
    const hub = new ChannelHub(channel)
    await hub.wakes(4)
    expect(await ada.newIds()).toEqual([])
    const late = await follower(channel)
    await simulator.changeItem(premiere?.id ?? "", { kind: "normal" })
    await hub.wakesUntil(hasNew(ada))
    for (const person of [ada, bob]) expect(await person.newIds()).toEqual([premiere?.id])
    expect((await late.feed()).filter(({ id }) => id === premiere?.id)).toHaveLength(1)
  })
})

describe("an erasure", () => {
  it("leaves nothing of the person, whatever the hub delivers afterwards", async () => {
    const channel = await makeChannel()
    const [ada, bob] = [await follower(channel), await follower(channel)]
    await publish(channel)
    await bob.forget()
    await new ChannelHub(channel).wakesUntil(hasNew(ada))
    expect(await bob.feed()).toEqual([])
    const rows = env.DB.prepare("SELECT * FROM user_subscriptions WHERE user_id = ?1").bind(bob.id)
    expect((await rows.all()).results).toEqual([])
  })
})

describe("what objects ask", () => {
  it("is nothing of the items of channels that hubs look after, by poll or by alarm", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    clock.aheadMs = 3_600_000
    await publish(channel)
    const before = await lastRequest()
    await person.pollNow()
    expect(await askedSince(before, { channels: [], people: [person] })).toEqual({ subscriptions: 1 })
  })
})
