import { env } from "cloudflare:workers"
import { beforeEach, describe, expect, it } from "vitest"
import {
  clear,
  connect,
  feedOf,
  followsOf,
  hoursPass,
  ledgerEnd,
  requestsOf,
  run,
  settle,
  simulator,
} from "./people.ts"

beforeEach(clear)

const ids = (items: ReadonlyArray<{ readonly id: string }>) => items.map(({ id }) => id)
const idsOf = async (source: string) => ids(await simulator.items(source))

describe.each(["spotify", "youtube"] as const)("what is new at %s", (provider) => {
  it("is delivered once: the newest 20 at first, then everything published since, however much it is", async () => {
    const source = await simulator.createSource({ provider, items: 30 })
    const [userId = ""] = await settle(1, [source], { provider })
    const archive = await idsOf(source)
    expect(await run()).toMatchObject({ found: 1, polled: 1, failed: 0, items: 20, isComplete: true })
    expect((await feedOf(userId)).backfill.toSorted()).toEqual(archive.slice(0, 20).toSorted())

    for (const count of [1, 60, 230]) {
      const published = ids(await simulator.publish(source, count))
      const { fresh } = await feedOf(userId)
      expect(await run()).toMatchObject({ items: count, failures: [] })
      expect((await feedOf(userId)).fresh.toSorted()).toEqual([...fresh, ...published].toSorted())
      expect(await run()).toMatchObject({ items: 0 })
    }
    expect((await feedOf(userId)).backfill).toHaveLength(20)
  })

  it("is delivered to everybody who follows, and asked for once", async () => {
    const source = await simulator.createSource({ provider, items: 3 })
    const people = await settle(30, [source], { provider })
    await run()
    const published = ids(await simulator.publish(source, 2))
    const since = await ledgerEnd()
    await run({ variables: { LEGACY_BATCH_SIZE: "7" } })
    for (const userId of people) expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
    expect(await requestsOf(people, since)).toEqual({
      library: 30,
      items: 1,
      ...(provider === "youtube" ? { details: 1 } : {}),
    })
  })

  it("is delivered even if it was published while the people before were being polled", async () => {
    const source = await simulator.createSource({ provider, items: 3 })
    const [early = "", late = ""] = await settle(2, [source], { provider })
    await run()
    const first = ids(await simulator.publish(source, 1))
    const gate = await simulator.hold({ person: late, kind: "library" })
    const running = run({ variables: { LEGACY_BATCH_SIZE: "1" } })
    await simulator.waitForHeld(gate)
    const second = ids(await simulator.publish(source, 1))
    await simulator.release(gate)
    await running
    expect((await feedOf(early)).fresh).toEqual(first)
    expect((await feedOf(late)).fresh.toSorted()).toEqual([...first, ...second].toSorted())
    await run()
    expect((await feedOf(early)).fresh.toSorted()).toEqual([...first, ...second].toSorted())
  })

  it("of a source that is followed from now on begins with its newest 20", async () => {
    const [old, added] = await simulator.createSources([
      { provider, items: 1 },
      { provider, items: 30, title: "Added" },
    ])
    const [userId = ""] = await settle(1, [old ?? ""], { provider })
    await run()
    await simulator.subscribe(userId, added ?? "")
    expect(await run()).toMatchObject({ items: 20 })
    expect((await feedOf(userId)).backfill).toHaveLength(21)
    expect((await followsOf(userId)).map(({ title }) => title)).toContain("Added")
  })

  it("is not delivered of what is followed no more, and names are kept", async () => {
    const [kept = "", left = ""] = await simulator.createSources([
      { provider, items: 1 },
      { provider, items: 1 },
    ])
    const [userId = ""] = await settle(1, [kept, left], { provider })
    await run()
    await simulator.unsubscribe(userId, left)
    await simulator.rename(kept, "Another name")
    await simulator.publish(left, 1)
    await run()
    expect(await followsOf(userId)).toMatchObject([{ id: kept, title: "Another name" }])
    expect((await feedOf(userId)).fresh).toEqual([])
  })

  it("is found by a look now and then where the count stands still, and from then on at once", async () => {
    const source = await simulator.createSource({ provider, items: 10, rollingWindow: 10 })
    const [userId = ""] = await settle(1, [source], { provider })
    await run()
    const published = ids(await simulator.publish(source, 2))
    expect(await run()).toMatchObject({ items: 0 })
    await hoursPass(24)
    expect(await run()).toMatchObject({ items: 2 })
    published.push(...ids(await simulator.publish(source, 1)))
    expect(await run()).toMatchObject({ items: 1 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })

  it("of a source that was taken over from an object is what the feed does not have yet", async () => {
    const source = await simulator.createSource({ provider, items: 30 })
    const [userId = ""] = await settle(1, [source], { provider })
    await run()
    // An object that polled in between has no cursor to leave behind, but a feed.
    await env.DB.prepare("UPDATE user_subscriptions SET polled_at = NULL, item_count = NULL").run()
    const published = ids(await simulator.publish(source, 3))
    expect(await run()).toMatchObject({ items: 3 })
    expect((await feedOf(userId)).fresh.toSorted()).toEqual(published.toSorted())
  })
})

describe("somebody with both providers", () => {
  it("is polled at both", async () => {
    const [show = "", channel = ""] = await simulator.createSources([
      { provider: "spotify", items: 2 },
      { provider: "youtube", items: 3 },
    ])
    const people = await settle(1, [show, channel])
    await connect(people, "youtube")
    expect(await run()).toMatchObject({ found: 2, polled: 2, items: 5, isComplete: true })
    expect((await feedOf(people[0] ?? "")).backfill).toHaveLength(5)
  })
})

describe("an item that cannot be played yet", () => {
  it("is delivered when it can: an episode", async () => {
    const source = await simulator.createSource({ provider: "spotify", items: 5 })
    const [userId = ""] = await settle(1, [source])
    await run()
    const [{ id = "" } = {}] = await simulator.publish(source, [{ kind: "unplayable" }])
    expect(await run()).toMatchObject({ items: 0 })
    await simulator.changeItem(id, { kind: "normal" })
    expect(await run()).toMatchObject({ items: 1 })
    expect(await run()).toMatchObject({ items: 0 })
    expect((await feedOf(userId)).fresh).toEqual([id])
  })

  it("is delivered when it can: a premiere", async () => {
    const source = await simulator.createSource({ provider: "youtube", items: 5 })
    const [userId = ""] = await settle(1, [source], { provider: "youtube" })
    await run()
    const [{ id = "" } = {}] = await simulator.publish(source, [{ kind: "upcoming" }])
    expect(await run()).toMatchObject({ items: 0 })
    await simulator.changeItem(id, { kind: "live" })
    expect(await run()).toMatchObject({ items: 1 })
    expect(await run()).toMatchObject({ items: 0 })
    expect((await feedOf(userId)).fresh).toEqual([id])
  })
})

describe("odd entries", () => {
  it("are passed over, and stop nothing: null, private and deleted ones", async () => {
    const [show = "", channel = ""] = await simulator.createSources([
      { provider: "spotify", items: 2 },
      { provider: "youtube", items: 2 },
    ])
    const people = await settle(1, [show, channel])
    await connect(people, "youtube")
    await run()
    const published = ids([
      ...(await simulator.publish(show, [{ kind: "null" }, { kind: "precision-month" }, { kind: "precision-year" }])),
      ...(await simulator.publish(channel, [{ kind: "private" }, { kind: "deleted" }, { kind: "short" }])),
    ])
    expect(await run()).toMatchObject({ items: 3, failures: [] })
    const expected = [published[1], published[2], published[5]]
    expect((await feedOf(people[0] ?? "")).fresh.toSorted()).toEqual(expected.toSorted())
  })

  it("a show that is gone and a channel without uploads are left alone until their count changes", async () => {
    const [show = "", empty = "", other = ""] = await simulator.createSources([
      { provider: "spotify", items: 2 },
      { provider: "youtube", uploads: false },
      { provider: "youtube", items: 2 },
    ])
    const people = await settle(1, [show, empty, other])
    await connect(people, "youtube")
    await simulator.removeSource(show)
    expect(await run()).toMatchObject({ items: 2, failed: 0, failures: [] })
    const since = await ledgerEnd()
    await run()
    expect(await requestsOf(people, since)).toEqual({ library: 2 })
  })
})
