import { abortAllDurableObjects, evictDurableObject } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources, minute, publishInEach, settled, timesAsked } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const atOnce = 6

/** Somebody in the middle of a poll of shows which have all published: half of them asked, six requests parked. */
const halfWay = async (start: (person: Person) => Promise<unknown>, count = 200) => {
  const shows = await makeSources("spotify", count)
  const person = await settled(shows, "spotify")
  const published = await publishInEach(shows)
  await person.becomesDue()
  const items = { person: person.id, kind: "items" } as const
  let gate = await simulator.hold(items)
  const poll = start(person).catch(() => undefined)
  for (let answered = 0; answered < count / 2; answered += atOnce) {
    await simulator.waitForHeld(gate, atOnce)
    const isLast = answered + atOnce >= count / 2
    // Answered, but the last answers do not arrive: the provider cannot know that they were not heard.
    const next = await simulator.hold(items, { afterProcessing: isLast })
    await simulator.release(gate)
    gate = next
  }
  await simulator.waitForHeld(gate, atOnce)
  return { shows, person, published, poll, release: () => simulator.release(gate) }
}

const libraryReads = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "library" })).length

const expectWhole = async (person: Person, published: ReadonlyArray<string>) => {
  const delivered = await person.newIds()
  expect(delivered).toHaveLength(published.length)
  expect(new Set(delivered)).toEqual(new Set(published))
}

describe("A poll that is cut off in the middle", () => {
  it.each([
    ["a person", (person: Person) => person.pollNow()],
    ["the alarm", (person: Person) => person.alarm()],
  ])(
    "and was started by %s, of 200 shows, goes on by itself: only what was under way is asked again, nothing is lost",
    async (_who, start) => {
      const { shows, person, published, poll, release } = await halfWay(start)
      const askedBefore = (await timesAsked(person)).size
      expect(askedBefore).toBeGreaterThanOrEqual(shows.length / 2)
      expect(askedBefore).toBeLessThan(shows.length)
      await abortAllDurableObjects()
      await release()
      await poll
      // It does not wait for the next time that a source is due, which is hours away.
      expect(await person.alarmAt()).toBeLessThanOrEqual(Date.now() + minute)
      await person.alarm()
      await expectWhole(person, published)
      const asked = [...(await timesAsked(person)).values()]
      expect(asked).toHaveLength(shows.length)
      expect(asked.reduce((sum, times) => sum + times)).toBeLessThanOrEqual(shows.length + atOnce)
      expect(await libraryReads(person)).toBe(4)
      expect(await person.pollNow()).toMatchObject({ delivered: 0, accounts: [{ asked: 0 }] })
    },
  )

  it("starts over where it was cut off long ago, and loses nothing either", async () => {
    const { shows, person, published, poll, release } = await halfWay((somebody) => somebody.pollNow(), 60)
    await abortAllDurableObjects()
    await release()
    await poll
    const [more] = await simulator.publish(shows[0] ?? "", 1)
    clock.aheadMs = 11 * minute
    await person.alarm()
    await expectWhole(person, [...published, more?.id ?? ""])
    expect(await libraryReads(person)).toBe(4)
  })

  it("goes on where the provider made it wait", async () => {
    const shows = await makeSources("spotify", 60)
    const person = await settled(shows, "spotify")
    const published = await publishInEach(shows)
    await person.becomesDue()
    await simulator.setFaults([
      {
        match: { person: person.id, path: shows[30] ?? "" },
        fault: { type: "rate_limited", retryAfterSeconds: 60 },
        times: 1,
      },
    ])
    const before = Date.now()
    await person.alarm()
    expect(await person.alarmAt()).toBeGreaterThanOrEqual(before + minute)
    await evictDurableObject(person.stub)
    // A pause ends up to a tenth later than asked.
    clock.aheadMs = 1.1 * minute + 1000
    await person.alarm()
    await expectWhole(person, published)
    const asked = [...(await timesAsked(person)).values()]
    expect(asked.reduce((sum, times) => sum + times)).toBeLessThanOrEqual(shows.length + atOnce)
    expect(await libraryReads(person)).toBe(2)
  })
})

it("A provider that asks for hours of silence half-way, again and again, keeps no source waiting for ever", async () => {
  const shows = await makeSources("spotify", 30)
  const person = await settled(shows, "spotify")
  const match = { person: person.id, kind: "items" } as const
  await person.becomesDue()
  for (let round = 1; round <= 4; round += 1) {
    await publishInEach(shows)
    await simulator.setFaults([
      { match, fault: { type: "slow", ms: 1 }, times: 10 },
      { match, fault: { type: "rate_limited", retryAfterSeconds: 7200 }, times: 1 },
    ])
    await person.alarm()
    await simulator.clearFaults()
    clock.aheadMs += 3 * hour
  }
  expect((await timesAsked(person)).size).toBe(shows.length)
})

describe("An object that dies between the cursor and the delivery", () => {
  it("delivers what it has found, once, without asking again", async () => {
    const [show = ""] = await makeSources("spotify", 1)
    const person = await settled([show], "spotify")
    const published = (await simulator.publish(show, 30)).map(({ id }) => id)
    // The library is read and the source is settled; the second account's pass keeps the delivery waiting.
    const channel = await simulator.createSource({ provider: "youtube", items: 1 })
    await simulator.subscribe(person.id, channel)
    const gate = await simulator.hold({ person: person.id, provider: "youtube", kind: "library" })
    await person.connects("youtube")
    const poll = person.pollNow().catch(() => undefined)
    await expect.poll(async () => (await person.status()).undelivered).toBeGreaterThanOrEqual(30)
    await abortAllDurableObjects()
    await simulator.release(gate)
    await poll
    await simulator.clearLedger(person.id)
    await person.alarm()
    await expectWhole(person, published)
    expect(await simulator.counts({ person: person.id, provider: "spotify" })).toMatchObject({ total: 0 })
  })
})
