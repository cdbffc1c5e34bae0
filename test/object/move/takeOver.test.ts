import { env } from "cloudflare:workers"
import { describe, expect, it } from "vitest"
import { call } from "../../../src/rpc/call.ts"
import { type HandedSource, HolderRemoveToken, HolderSetToken } from "../../../src/rpc/move.ts"
import { simulator } from "../person.ts"
import { PersonInMove, toTokens } from "../personInMove.ts"

const hourMs = 3_600_000

/** What the legacy poller knew of a source when it last polled it, an hour ago: the newest items are in the feed. */
const polled = async (provider: "spotify" | "youtube", sourceId: string, known = 20): Promise<HandedSource> => {
  const items = await simulator.items(sourceId)
  return {
    provider,
    sourceId,
    title: sourceId,
    url: `https://example.test/${sourceId}`,
    imageUrl: null,
    followedAt: 1,
    polledAt: Date.now() - hourMs,
    itemCount: items.length,
    known: items.slice(0, known).map(({ id, publishedAt }) => [id, publishedAt] as const),
  }
}

const neverPolled = (source: HandedSource): HandedSource => ({ ...source, polledAt: null, itemCount: null, known: [] })

/** Puts what the legacy poller delivered into the person's feed. */
const deliver = (person: PersonInMove, source: HandedSource) =>
  env.DB.batch(
    source.known.flatMap(([id, publishedAt]) => [
      env.DB.prepare(
        `INSERT INTO feed_items (provider, external_id, source_id, kind, title, description, url, published_at, precision)
         VALUES (?1, ?2, ?3, 'episode', '', '', '', ?4, 'instant') ON CONFLICT DO NOTHING`,
      ).bind(source.provider, id, source.sourceId, publishedAt),
      env.DB.prepare(
        `INSERT INTO user_feed_items (user_id, published_at, provider, external_id, is_backfill, delivered_at)
         VALUES (?1, ?2, ?3, ?4, 1, 1)`,
      ).bind(person.id, publishedAt, source.provider, id),
    ]),
  )

/** Somebody whose accounts D1 has just given away, as of epoch 2. */
const given = async (provider: "spotify" | "youtube", ...sources: ReadonlyArray<string>) => {
  const person = (await new PersonInMove().follows(...sources)) as PersonInMove
  const grant = await person.hasInDatabase(provider)
  await person.importGrant(provider, grant)
  await person.switchTo(provider, "object", 2)
  return { person, grant }
}

describe("StepResult over, an object goes on where the legacy poller stopped", () => {
  it.each(["spotify", "youtube"] as const)(
    "60 items of %s that were published in between are all delivered as new, and none twice",
    async (provider) => {
      const source = await simulator.createSource({ provider, items: 300 })
      const handed = await polled(provider, source)
      const { person } = await given(provider, source)
      await deliver(person, handed)
      const published = await simulator.publish(source, 60)
      expect(await person.takeOver(provider, 2, [handed])).toMatchObject({ accounts: [{ outcome: "held" }] })
      expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", itemsFound: 60 }], delivered: 60 })
      const newIds = await person.newIds()
      expect(newIds).toHaveLength(60)
      expect(new Set(newIds)).toEqual(new Set(published.map(({ id }) => id)))
      expect(await person.pollNow()).toMatchObject({ delivered: 0 })
      expect(await person.feed()).toHaveLength(80)
    },
  )

  it("an unchanged source is not asked", async () => {
    const shows = await simulator.createSources(Array.from({ length: 3 }, () => ({ provider: "spotify", items: 5 })))
    const { person } = await given("spotify", ...shows)
    await person.takeOver("spotify", 2, await Promise.all(shows.map((show) => polled("spotify", show))))
    expect(await person.pollNow()).toMatchObject({
      accounts: [{ outcome: "polled", sources: 3, asked: 0, requests: 1 }],
    })
    expect((await person.subscriptions()).map(({ sourceId }) => sourceId).sort()).toEqual([...shows].sort())
  })

  it("also when it held the account before: what it knew of its sources then is out of date", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 5 })
    const { person } = await given("spotify", show)
    await person.takeOver("spotify", 2, [await polled("spotify", show)])
    await person.pollNow()
    await person.handBack("spotify", 3)
    await simulator.publish(show, 2)
    await person.takeOver("spotify", 4, [await polled("spotify", show)])
    expect(await person.pollNow()).toMatchObject({ accounts: [{ sources: 1, asked: 0 }] })
  })

  it("a source that was never polled begins with a backfill", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 30 })
    const { person } = await given("spotify", show)
    await person.takeOver("spotify", 2, [neverPolled(await polled("spotify", show))])
    expect(await person.pollNow()).toMatchObject({ accounts: [{ asked: 1, itemsFound: 20 }] })
    expect(await person.newIds()).toEqual([])
  })

  it("a source that had no items when it was polled has only new ones, however many", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 0 })
    const { person } = await given("spotify", show)
    const handed = await polled("spotify", show)
    await simulator.publish(show, 70)
    await person.takeOver("spotify", 2, [handed])
    await person.pollNow()
    expect(await person.newIds()).toHaveLength(70)
  })

  it("a source of whose items none is in the feed any more does not bring its archive up as new", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 120 })
    const { person } = await given("spotify", show)
    const handed = await polled("spotify", show, 0)
    const published = await simulator.publish(show, 2)
    await person.takeOver("spotify", 2, [handed])
    await person.pollNow()
    const found = new Set(await person.newIds())
    for (const { id } of published) expect(found).toContain(id)
    expect(found.size).toBeLessThan(6)
  })
})

describe("The right to refresh", () => {
  it("comes to an object that keeps a copy, which then refreshes and tells D1 of its state", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const { person } = await given("spotify", show)
    const taken = await person.takeOver("spotify", 2)
    expect(taken).toEqual({
      durableObjectId: (await person.status()).durableObjectId,
      accounts: [{ provider: "spotify", outcome: "held" }],
    })
    expect(await person.account("spotify")).toMatchObject({ holder: "object", epoch: 2, state: "connected" })
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    await person.alarm()
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: 2, state: "connected", is_active: 1 })
    const user = await env.DB.prepare("SELECT durable_object_id AS id FROM users WHERE id = ?1").bind(person.id).first()
    expect(user).toEqual({ id: taken.durableObjectId })
  })

  it("is taken once: asked again nothing changes, and what was polled meanwhile is not forgotten", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 40 })
    const { person } = await given("spotify", show)
    const handed = await polled("spotify", show)
    await person.takeOver("spotify", 2, [handed])
    await simulator.publish(show, 2)
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
    expect(await person.takeOver("spotify", 2, [handed])).toMatchObject({ accounts: [{ outcome: "already_held" }] })
    expect(await person.pollNow()).toMatchObject({ accounts: [{ asked: 0 }], delivered: 0 })
    expect((await person.status()).events.filter(({ type }) => type === "taken_over")).toHaveLength(1)
  })

  it("is not taken without a copy", async () => {
    const person = new PersonInMove()
    expect(await person.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "no_copy" }] })
    expect((await person.status()).alarmAt).toBeNull()
  })

  it("is not taken by a call that comes after the account went back", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const { person } = await given("spotify", show)
    await person.takeOver("spotify", 2)
    await person.handBack("spotify", 3)
    expect(await person.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "superseded" }] })
    expect(await person.account("spotify")).toMatchObject({ holder: "database", epoch: 3 })
    // Nor when the hand-over back came before the object had heard of the account at all.
    const other = new PersonInMove()
    expect(await other.handBack("spotify", 3)).toMatchObject({ accounts: [{ outcome: "nothing_newer" }] })
    await other.importGrant("spotify", await simulator.grant(other.id, "spotify"), { epoch: 1 })
    expect(await other.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "superseded" }] })
  })

  it("is not taken by a person's own call for an epoch before the one at which the account went back", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 1 })
    const { person, grant } = await given("spotify", show)
    await person.takeOver("spotify", 2)
    await person.handBack("spotify", 3)
    const account = { userId: person.id, provider: "spotify" } as const
    const set = call(HolderSetToken, (wire) => person.stub.setToken(wire))
    const remove = call(HolderRemoveToken, (wire) => person.stub.removeToken(wire))
    const refusal = { _tag: "HeldElsewhere", epoch: 3 }
    const setting = person.run(set({ ...account, tokens: toTokens(grant), asOf: { epoch: 2, sources: [] } }))
    await expect(setting).rejects.toMatchObject(refusal)
    await expect(person.run(remove({ ...account, epoch: 2 }))).rejects.toMatchObject(refusal)
    expect(await person.account("spotify")).toMatchObject({ holder: "database", epoch: 3 })
  })
})
