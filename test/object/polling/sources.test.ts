import { evictDurableObject } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import type { Fault, FaultRule } from "../../../local/simulator/model.ts"
import { clock, settings } from "../../worker.ts"
import { hour, makeSources, publishInEach, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  delete settings.REQUEST_TIMEOUT
  await simulator.clearFaults()
})

/** Lets the object's own alarm look at everything it has been waiting for. */
const later = async (person: Person, ms = 27 * hour) => {
  clock.aheadMs += ms
  await person.alarm()
}

const answer = (person: Person, path: string, body: unknown, more: Partial<FaultRule> = {}) =>
  simulator.setFaults([{ match: { person: person.id, path }, fault: { type: "status", status: 200, body }, ...more }])

const state = async (person: Person, source: string) =>
  (await person.subscriptions()).find(({ sourceId }) => sourceId === source)

describe("A source that fails says why, and stops no other", () => {
  const faults: ReadonlyArray<readonly [string, Fault, string]> = [
    ["an error", { type: "status", status: 503 }, "answered 503"],
    ["a lost connection", { type: "reset" }, "no answer"],
    ["half an answer", { type: "truncated" }, "the answer could not be read"],
    ["a page of HTML", { type: "html" }, "the answer could not be read"],
    ["something else", { type: "status", status: 200, body: { surprise: true } }, "the answer has an unknown shape"],
  ]
  it.each(faults)("with %s", async (_what, fault, reason) => {
    const [failing = "", other = ""] = await makeSources("spotify", 2)
    const person = await settled([failing, other], "spotify")
    const published = await publishInEach([failing, other])
    const ids = await simulator.setFaults([{ match: { person: person.id, path: failing }, fault }])
    expect(await person.pollNow()).toMatchObject({ delivered: 1, accounts: [{ outcome: "polled", failed: 1 }] })
    expect((await person.status()).failing).toMatchObject([{ sourceId: failing, reason, failures: 1, state: "active" }])
    await simulator.clearFaults(ids)
    await later(person, hour)
    expect(new Set(await person.newIds())).toEqual(new Set(published))
    expect((await person.status()).failing).toEqual([])
  })

  it("with silence, for as long as a provider is given for an answer", async () => {
    const [failing = "", other = ""] = await makeSources("spotify", 2)
    const person = await settled([failing, other], "spotify")
    await publishInEach([failing, other])
    await simulator.setFaults([{ match: { person: person.id, path: failing }, fault: { type: "hang" } }])
    // Three times this long is what the other has, and more than it takes on a busy machine.
    settings.REQUEST_TIMEOUT = "2 seconds"
    await evictDurableObject(person.stub)
    expect(await person.pollNow()).toMatchObject({ delivered: 1, accounts: [{ outcome: "polled", failed: 1 }] })
    expect((await person.status()).failing).toMatchObject([
      { sourceId: failing, reason: "no answer within 2000 ms", failures: 1, state: "active" },
    ])
  })

  it.each([
    ["spotify", "Forbidden", "answered 403"],
    ["youtube", "forbidden", "answered 403 forbidden"],
  ] as const)(
    "with a refusal by %s that is about it alone: nobody has to connect again",
    async (provider, said, reason) => {
      const [failing = "", other = ""] = await makeSources(provider, 2)
      const person = await settled([failing, other], provider)
      await publishInEach([failing, other])
      const body =
        provider === "spotify"
          ? { error: { status: 403, message: said } }
          : { error: { code: 403, errors: [{ domain: "youtube.playlistItem", reason: said }] } }
      await simulator.setFaults([
        { match: { person: person.id, path: failing.slice(2) }, fault: { type: "status", status: 403, body } },
      ])
      expect(await person.pollNow()).toMatchObject({ delivered: 1 })
      expect(await person.status()).toMatchObject({
        accounts: [{ state: "connected" }],
        failing: [{ sourceId: failing, reason }],
      })
    },
  )

  it("with a 401 for everything it is asked: the token is refreshed once, not once a source", async () => {
    const shows = await makeSources("spotify", 30)
    const person = await settled(shows, "spotify")
    await publishInEach(shows)
    await simulator.setFaults([{ match: { person: person.id, kind: "items" }, fault: { type: "status", status: 401 } }])
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", failed: 30 }] })
    expect(await simulator.counts({ person: person.id, kind: "token" })).toMatchObject({ total: 1 })
    await simulator.clearFaults()
    expect(await person.pollNow()).toMatchObject({ delivered: 30 })
  })

  it("is retried less and less often, and at most once a day", async () => {
    const [failing = ""] = await makeSources("spotify", 1)
    const person = await settled([failing], "spotify")
    await publishInEach([failing])
    await simulator.setFaults([{ match: { person: person.id, path: failing }, fault: { type: "status", status: 400 } }])
    const waits: Array<number> = []
    for (let round = 0; round < 14; round += 1) {
      await person.pollNow()
      const now = Date.now() + clock.aheadMs
      waits.push(((await state(person, failing))?.dueAt ?? 0) - now)
      clock.aheadMs += Math.max(0, waits.at(-1) ?? 0)
    }
    expect(waits[0]).toBeLessThanOrEqual(60_000)
    expect(Math.max(...waits)).toBeLessThanOrEqual(24 * hour)
    expect(waits.at(-1)).toBeGreaterThanOrEqual(11 * hour)
  })
})

describe("A source that is gone", () => {
  it("is looked at once a day, and goes on where it was when it comes back", async () => {
    const [gone = "", other = ""] = await makeSources("spotify", 2)
    const person = await settled([gone, other], "spotify")
    const faults = await simulator.setFaults([
      { match: { person: person.id, path: `${gone}/` }, fault: { type: "status", status: 404 } },
    ])
    const published = (await simulator.publish(gone, 2)).map(({ id }) => id)
    await person.pollNow()
    expect(await state(person, gone)).toMatchObject({ state: "gone", reason: "the provider no longer has it" })
    await simulator.clearLedger(person.id)
    await simulator.publish(other, 1)
    await person.pollNow()
    await later(person, 12 * hour)
    expect(await simulator.counts({ person: person.id, kind: "items" })).toMatchObject({ total: 1 })
    await simulator.clearFaults(faults)
    await later(person)
    expect(await person.newIds()).toEqual(expect.arrayContaining(published))
    expect(await state(person, gone)).toMatchObject({ state: "active", reason: null, failures: 0 })
  })
})

describe("A channel without uploads", () => {
  it("delivers its first video as new", async () => {
    const [channel = ""] = await makeSources("youtube", 1, 0)
    const { person, faults } = await (async () => {
      const missing = await simulator.setFaults([
        {
          match: { path: channel.slice(2) },
          fault: {
            type: "status",
            status: 404,
            body: { error: { code: 404, errors: [{ domain: "youtube.playlistItem", reason: "playlistNotFound" }] } },
          },
        },
      ])
      return { person: await settled([channel], "youtube"), faults: missing }
    })()
    expect(await state(person, channel)).toMatchObject({ state: "empty", reason: "it has no uploads yet" })
    await simulator.clearFaults(faults)
    const published = (await simulator.publish(channel, 1)).map(({ id }) => id)
    await person.pollNow()
    expect(await person.newIds()).toEqual(published)
    expect(await state(person, channel)).toMatchObject({ state: "active", reason: null })
  })
})

describe("A video", () => {
  const channelOf = async () => {
    const [channel = ""] = await makeSources("youtube", 1, 5)
    return { channel, person: await settled([channel], "youtube") }
  }

  it("that was private and is made public is delivered once", async () => {
    const { channel, person } = await channelOf()
    const [hidden] = await simulator.publish(channel, [{ kind: "private" }])
    await person.pollNow()
    await simulator.changeItem(hidden?.id ?? "", { kind: "normal" })
    await later(person)
    await later(person)
    expect(await person.newIds()).toEqual([hidden?.id])
  })

  it("that is listed before it can be described is looked up again soon, though its listing never changes", async () => {
    const { channel, person } = await channelOf()
    const [video] = await simulator.publish(channel, 1)
    await answer(person, "/videos", { items: [] }, { times: 1 })
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
    await later(person, hour)
    expect(await person.newIds()).toEqual([video?.id])
  })

  it("that never can be described is forgotten, and asked for no more", async () => {
    const { channel, person } = await channelOf()
    await simulator.publish(channel, 1)
    await answer(person, "/videos", { items: [] })
    await person.pollNow()
    await later(person, hour)
    expect(await person.sql("SELECT * FROM items WHERE state = 'waiting'")).toEqual([])
    await simulator.clearLedger(person.id)
    await person.pollNow()
    expect(await simulator.counts({ person: person.id, kind: "details" })).toMatchObject({ total: 0 })
  })

  it("that was announced and is put off waits on; one that is called off is forgotten", async () => {
    const { channel, person } = await channelOf()
    const soon = (await simulator.now()) + hour
    const [late, cancelled] = await simulator.publish(channel, [
      { kind: "upcoming", scheduledStart: soon },
      { kind: "upcoming", scheduledStart: soon },
    ])
    await person.pollNow()
    await simulator.removeItem(cancelled?.id ?? "")
    await later(person, 1.1 * hour)
    expect(await person.sql("SELECT item_id AS id FROM items WHERE state = 'waiting'")).toEqual([{ id: late?.id }])
    expect(await person.newIds()).toEqual([])
    await simulator.changeItem(late?.id ?? "", { kind: "normal" })
    await later(person, hour)
    expect(await person.newIds()).toEqual([late?.id])
  })

  it("of less than three minutes is delivered like any other", async () => {
    const { channel, person } = await channelOf()
    const [short] = await simulator.publish(channel, [{ kind: "short" }])
    await person.pollNow()
    expect(await person.newIds()).toEqual([short?.id])
  })

  it("of which the provider says next to nothing hides no other", async () => {
    const { channel, person } = await channelOf()
    const [first, second] = await simulator.publish(channel, 2)
    await answer(person, "/videos", {
      items: [
        { id: first?.id, snippet: { title: "Only a title", liveBroadcastContent: "rehearsal" } },
        { id: second?.id, snippet: { title: "Another", description: null, publishedAt: null } },
      ],
    })
    expect(await person.pollNow()).toMatchObject({ delivered: 2 })
  })
})

describe("An episode of which the provider says next to nothing", () => {
  it("is delivered, and hides no other", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await simulator.publish(show, 3)
    await answer(person, `${show}/episodes`, {
      total: 4,
      next: null,
      items: [
        { id: "bare-1", name: "Only a name" },
        { id: "bare-2", name: "", images: null, release_date: null, release_date_precision: null, duration_ms: 1.5 },
        { id: "bare-3", name: "Of an unknown year", release_date: "0000", release_date_precision: "year" },
      ],
    })
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    expect(new Set(await person.newIds())).toEqual(new Set(["bare-1", "bare-2", "bare-3"]))
  })
})

describe("A library with entries that say nothing", () => {
  it("is read all the same", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    await answer(person, "/me/shows", {
      total: 4,
      next: null,
      items: [
        null,
        { added_at: "2026-01-01T00:00:00Z", show: null },
        { added_at: "2026-01-01T00:00:00Z", show: { id: "bare", name: "Only a name" } },
        { added_at: "2026-01-01T00:00:00Z", show: { id: show, name: "A show", total_episodes: 1 } },
      ],
    })
    await person.pollNow()
    expect(new Set((await person.subscriptions()).map(({ sourceId }) => sourceId))).toEqual(new Set(["bare", show]))
  })
})
