import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { type Person, simulator } from "../object/person.ts"
import { clock } from "../worker.ts"
import { askedSince, ChannelHub, follower, hasNew, lastRequest, makeChannel, publish, withHubs } from "./following.ts"

beforeEach(() => withHubs())
afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

describe("a channel with a hub", () => {
  it("is looked at once for all: a new video costs its feed and one unit, and reaches everybody once", async () => {
    const channel = await makeChannel()
    const people = [await follower(channel), await follower(channel), await follower(channel)]
    for (const person of people) expect(await person.feed()).toHaveLength(5)
    const before = await lastRequest()
    const published = await publish(channel)
    await new ChannelHub(channel).wakesUntil(hasNew(people[0] as Person))
    for (const person of people) expect(await person.newIds()).toEqual(published)
    const { "videos.xml": feeds, ...rest } = await askedSince(before, {
      channels: [channel],
      people,
      videos: published,
    })
    expect(feeds).toBeGreaterThan(0)
    expect(rest).toEqual({ videos: 1 })
  })

  it("is looked at by a poll by hand, whoever asks, and then not again so soon", async () => {
    const channel = await makeChannel()
    const [ada, bob] = [await follower(channel), await follower(channel)]
    clock.aheadMs = 16 * 60_000
    const published = await publish(channel)
    const before = await lastRequest()
    expect(await ada.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", asked: 1, itemsFound: 1 }] })
    expect(await ada.newIds()).toEqual(published)
    expect(await bob.newIds()).toEqual(published)
    await bob.pollNow()
    const asked = await askedSince(before, { channels: [channel], people: [ada, bob], videos: published })
    expect(asked).toEqual({ subscriptions: 2, "videos.xml": 1, videos: 1 })
  })

  it("costs nothing to be written while nothing appears", async () => {
    const channel = await makeChannel()
    await follower(channel)
    const hub = new ChannelHub(channel)
    await hub.wakes(2)
    const before = await hub.sql("SELECT * FROM subscriptions JOIN watched USING (source_id)")
    await hub.wakes(1)
    expect(await hub.sql("SELECT * FROM subscriptions JOIN watched USING (source_id)")).toEqual(before)
  })

  it("does not wake the object of a follower, whose library is read every other day", async () => {
    const channel = await makeChannel()
    const person = await follower(channel)
    const [account] = await person.sql("SELECT library_read_at AS readAt FROM accounts")
    const heartbeat = 6 * 3_600_000
    expect(Number(await person.alarmAt()) - Number(account?.["readAt"])).toBeGreaterThan(heartbeat - 60_000)
    clock.aheadMs = 47 * 3_600_000
    const before = await lastRequest()
    const concerned = { channels: [], people: [person] }
    await person.alarm()
    expect(await askedSince(before, concerned)).toEqual({})
    clock.aheadMs = 49 * 3_600_000
    await person.alarm()
    expect(await askedSince(before, concerned)).toEqual({ subscriptions: 1 })
  })
})
