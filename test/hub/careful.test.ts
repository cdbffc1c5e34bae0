import { runInDurableObject } from "cloudflare:test"
import { afterEach, beforeEach, expect, it } from "vitest"
import { simulator } from "../object/person.ts"
import { clock } from "../worker.ts"
import { ChannelHub, follower, hasNew, makeChannel, publish, withHubs } from "./following.ts"

const hour = 3_600_000

// One hub for all channels.
beforeEach(() => withHubs(1))
afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

/** The platform fires an alarm again that it has ended. */
const firesAgain = (hub: ChannelHub) =>
  runInDurableObject(hub.stub, async (instance) => {
    const { alarm } = instance as { alarm?: (info: AlarmInvocationInfo) => Promise<void> }
    await alarm?.call(instance, { isRetry: true, retryCount: 1, scheduledTime: Date.now() })
  })

/** Its looks begin now: in the test before it was another day. */
const beginNow = (hub: ChannelHub) => hub.sql("UPDATE hub SET looked_until = ?1", Date.now())

const suspectOf = async (hub: ChannelHub) => (await hub.sql("SELECT suspect FROM hub"))[0]?.["suspect"]
const shunnedUntil = async (hub: ChannelHub, channel: string) =>
  Number((await hub.sql("SELECT shunned_until AS at FROM watched WHERE source_id = ?1", channel))[0]?.["at"] ?? 0)

it("a hub whose wake was cut off looks at one channel after the other, and finds what it would have found", async () => {
  const channels = [await makeChannel(), await makeChannel(), await makeChannel()]
  const person = await follower(...channels)
  const hub = new ChannelHub(channels[0] ?? "")
  const published = (await Promise.all(channels.map((channel) => publish(channel)))).flat()
  clock.aheadMs = 25 * hour
  await firesAgain(hub)
  expect((await person.newIds()).toSorted()).toEqual(published.toSorted())
  expect(await suspectOf(hub)).toBeNull()
})

it("the channel that cuts it off again is left alone for a day, and all others go on", async () => {
  const [bad, good] = [await makeChannel(), await makeChannel()]
  const person = await follower(bad, good)
  const hub = new ChannelHub(good)
  await beginNow(hub)
  // As the hub is left when it dies at the channel.
  await hub.sql("UPDATE hub SET suspect = ?1", bad)
  const [hidden, published] = [await publish(bad), await publish(good)]
  clock.aheadMs = 25 * hour
  await firesAgain(hub)
  expect(await person.newIds()).toEqual(published)
  expect(await suspectOf(hub)).toBeNull()
  const until = await shunnedUntil(hub, bad)
  expect(until).toBeGreaterThan(Date.now() + clock.aheadMs + 23 * hour)
  await person.pollNow()
  expect(await person.newIds()).toEqual(published)
  expect(Number(await hub.alarmAt())).toBeGreaterThan(Date.now() + clock.aheadMs)
  clock.aheadMs += 24 * hour
  await hub.wakesUntil(async () => (await person.newIds()).includes(hidden[0] ?? ""))
  expect((await person.newIds()).toSorted()).toEqual([...hidden, ...published].toSorted())
})

it("is not careful in a wake like any other, which writes nothing of its own", async () => {
  const channel = await makeChannel()
  const person = await follower(channel)
  const hub = new ChannelHub(channel)
  await beginNow(hub)
  await hub.sql("UPDATE hub SET suspect = ?1", "another")
  const published = await publish(channel)
  await hub.wakesUntil(hasNew(person))
  expect(await person.newIds()).toEqual(published)
  expect(await suspectOf(hub)).toBe("another")
})
