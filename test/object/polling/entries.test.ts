import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import type { ItemKind } from "../../../local/simulator/model.ts"
import { clock } from "../../worker.ts"
import { Person, simulator } from "../person.ts"

const hour = 3_600_000

afterEach(() => {
  clock.aheadMs = 0
})

const followed = async (provider: "spotify" | "youtube", items = 5) => {
  const source = await simulator.createSource({ provider, items })
  const person = await new Person().follows(source)
  await person.connects(provider)
  await person.pollNow()
  return { source, person }
}

/** Lets the object look at everything it has been waiting for. */
const later = async (person: Person, provider: "spotify" | "youtube", ms = 27 * hour) => {
  clock.aheadMs += ms
  await person.connects(provider)
  return person.pollNow()
}

const publishOne = async (source: string, kind: ItemKind, publishedAt?: number) => {
  const [item] = await simulator.publish(source, [{ kind, ...(publishedAt === undefined ? {} : { publishedAt }) }])
  return item?.id ?? ""
}

describe("entries that are not ordinary", () => {
  it("a null among the episodes hides none of the others", async () => {
    const { source, person } = await followed("spotify")
    await publishOne(source, "normal")
    await publishOne(source, "null")
    const last = await publishOne(source, "normal")
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    expect(await person.newIds()).toContain(last)
  })

  it.each(["precision-month", "precision-year"] as const)(
    "an episode dated by %s is delivered once, with its precision",
    async (kind) => {
      const { source, person } = await followed("spotify")
      const id = await publishOne(source, kind)
      await person.pollNow()
      await simulator.publish(source, 1)
      await person.pollNow()
      expect((await person.newIds()).filter((one) => one === id)).toHaveLength(1)
      const row = await env.DB.prepare("SELECT precision FROM feed_items WHERE external_id = ?1").bind(id).first()
      expect(row).toEqual({ precision: kind.replace("precision-", "") })
    },
  )

  it("an unplayable episode waits, and is delivered once it can be played", async () => {
    const { source, person } = await followed("spotify")
    const id = await publishOne(source, "unplayable")
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    await simulator.changeItem(id, { kind: "normal" })
    expect(await later(person, "spotify")).toMatchObject({ delivered: 1 })
    expect(await person.newIds()).toEqual([id])
    expect(await later(person, "spotify")).toMatchObject({ delivered: 0 })
  })

  it("an unplayable episode is found under 120 newer ones, and forgotten once it is taken away", async () => {
    const { source, person } = await followed("spotify")
    const id = await publishOne(source, "unplayable")
    const removed = await publishOne(source, "unplayable")
    await simulator.publish(source, 120)
    await person.pollNow()
    await simulator.changeItem(id, { kind: "normal" })
    await simulator.removeItem(removed)
    expect(await later(person, "spotify")).toMatchObject({ delivered: 1 })
    expect(await person.newIds()).toContain(id)
    expect(await person.sql("SELECT * FROM items WHERE state = 'waiting'")).toEqual([])
  })

  it.each(["private", "deleted"] as const)(
    "a %s video is not delivered, and hides none of the others",
    async (kind) => {
      const { source, person } = await followed("youtube")
      await publishOne(source, kind)
      const normal = await publishOne(source, "normal")
      await person.pollNow()
      expect(await person.newIds()).toEqual([normal])
    },
  )

  it("a premiere waits until it is live, is due at its start, and is delivered once", async () => {
    const { source, person } = await followed("youtube")
    const scheduledStart = (await simulator.now()) + 2 * hour
    const [premiere] = await simulator.publish(source, [{ kind: "upcoming", scheduledStart }])
    const id = premiere?.id ?? ""
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    expect((await person.status()).alarmAt).toBeLessThanOrEqual(scheduledStart + 1000)
    await simulator.changeItem(id, { kind: "live" })
    expect(await later(person, "youtube", 2.1 * hour)).toMatchObject({ delivered: 1 })
    await simulator.changeItem(id, { kind: "normal" })
    expect(await later(person, "youtube")).toMatchObject({ delivered: 0 })
    expect(await person.newIds()).toEqual([id])
  })

  it("a live stream is delivered as such", async () => {
    const { source, person } = await followed("youtube")
    const id = await publishOne(source, "live")
    expect(await person.pollNow()).toMatchObject({ delivered: 1 })
    const row = await env.DB.prepare("SELECT is_live FROM feed_items WHERE external_id = ?1").bind(id).first()
    expect(row).toEqual({ is_live: 1 })
  })

  it("a channel without uploads is empty, and other sources go on", async () => {
    const empty = await simulator.createSource({ provider: "youtube", uploads: false })
    const other = await simulator.createSource({ provider: "youtube", items: 3 })
    const person = await new Person().follows(empty, other)
    await person.connects("youtube")
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    expect(await person.subscriptions()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ sourceId: empty, state: "empty", reason: "it has no uploads yet" }),
      ]),
    )
  })

  it("a show that is gone says so in the status, and other sources go on", async () => {
    const { source, person } = await followed("spotify")
    const other = await simulator.createSource({ provider: "spotify", items: 3 })
    await simulator.subscribe(person.id, other)
    await simulator.publish(source, 1)
    await simulator.removeSource(source)
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    expect((await person.status()).failing).toMatchObject([
      { sourceId: source, state: "gone", reason: "the provider no longer has it" },
    ])
  })

  it("a date that the provider corrects makes no second row for somebody who follows later", async () => {
    const { source, person } = await followed("spotify", 0)
    const id = await publishOne(source, "normal", Date.UTC(2026, 5, 1))
    await person.pollNow()
    await env.DB.prepare("UPDATE feed_items SET published_at = published_at + 86400000 WHERE external_id = ?1")
      .bind(id)
      .run()
    await env.DB.prepare("UPDATE user_feed_items SET published_at = published_at + 86400000 WHERE external_id = ?1")
      .bind(id)
      .run()
    const second = await new Person().follows(source)
    await second.connects("spotify")
    await second.pollNow()
    for (const who of [person, second]) expect((await who.feed()).filter((item) => item.id === id)).toHaveLength(1)
    const { results } = await env.DB.prepare("SELECT published_at FROM feed_items WHERE external_id = ?1")
      .bind(id)
      .all()
    expect(results).toEqual([{ published_at: Date.UTC(2026, 5, 2) }])
  })
})
