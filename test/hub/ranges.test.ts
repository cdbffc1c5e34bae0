import { env } from "cloudflare:workers"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { simulator } from "../object/person.ts"
import { clock, outages } from "../worker.ts"
import { ChannelHub, follower, makeChannel, publish, withHubs } from "./following.ts"

beforeEach(() => {
  withHubs()
  outages.feedRows = 3
})
afterEach(async () => {
  clock.aheadMs = 0
  outages.feedRows = null
  vi.restoreAllMocks()
  await simulator.clearFaults()
})

/** A channel that so many follow, as its hub knows. */
const followedBy = async (count: number) => {
  const channel = await makeChannel()
  const people = await Promise.all(Array.from({ length: count }, () => follower(channel)))
  const hub = new ChannelHub(channel)
  await hub.evict()
  await hub.sql("UPDATE watched SET followers = ?", count)
  return { channel, people, hub }
}

const inAllFeeds = async ({ people, hub }: Awaited<ReturnType<typeof followedBy>>, ids: ReadonlyArray<string>) => {
  const haveAll = async () =>
    (await Promise.all(people.map((person) => person.newIds()))).every((feed) => ids.every((id) => feed.includes(id)))
  await hub.wakesUntil(haveAll)
  const feeds = await Promise.all(people.map((person) => person.newIds()))
  expect(feeds.map((feed) => feed.toSorted())).toEqual(people.map(() => ids.toSorted()))
}

describe("A channel that very many follow is written to their feeds range by range of their ids:", () => {
  it.each([7, 9])("each gets everything once, %i of them", async (count) => {
    const followed = await followedBy(count)
    const batch = vi.spyOn(env.DB, "batch")
    await inAllFeeds(followed, await publish(followed.channel))
    const ranges = batch.mock.calls.filter(([statements]) => statements.length === 3)
    expect(ranges.length).toBeGreaterThanOrEqual(Math.ceil(count / 3))
  })

  it("also where D1 fails between two ranges, before or after it has written one", async () => {
    const followed = await followedBy(8)
    const batch = env.DB.batch.bind(env.DB)
    let ranges = 0
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const isRange = statements.length === 3
      ranges += isRange ? 1 : 0
      if (isRange && ranges === 2) throw new Error("D1 is down")
      const answer = await batch<never>(statements)
      if (isRange && ranges === 5) throw new Error("the answer got lost")
      return answer
    })
    await inAllFeeds(followed, await publish(followed.channel, 2))
    expect(ranges).toBeGreaterThan(5)
  })

  it("beside others that few follow", async () => {
    const followed = await followedBy(6)
    const [one] = followed.people
    const quiet = await makeChannel()
    await simulator.subscribe(one?.id ?? "", quiet)
    await one?.pollNow()
    const ids = await publish(followed.channel)
    const theirs = await publish(quiet)
    await new ChannelHub(quiet).wakesUntil(async () => (await one?.newIds())?.includes(theirs[0] ?? "") === true)
    await followed.hub.wakesUntil(async () => (await one?.newIds())?.includes(ids[0] ?? "") === true)
    expect((await one?.newIds())?.toSorted()).toEqual([...ids, ...theirs].toSorted())
  })
})
