import { runInDurableObject } from "cloudflare:test"
import { exports } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import type { PollProgress } from "../../../src/rpc/methods.ts"
import { makeSources, publishInEach, settled, timesAsked } from "../following.ts"
import { Person, simulator } from "../person.ts"

afterEach(() => simulator.clearFaults())

const passes = async (person: Person) => {
  const [row] = await person.sql("SELECT count(*) AS rows FROM polls")
  return Number(row?.["rows"])
}

/** Somebody whose sources have all published, and a gate at which the pass stops before the library is read. */
const atTheGate = async (count = 5) => {
  const shows = await makeSources("spotify", count)
  const person = await settled(shows, "spotify")
  const published = await publishInEach(shows)
  await person.becomesDue()
  const gate = await simulator.hold({ person: person.id, kind: "library" })
  return { shows, person, published, gate, before: await passes(person) }
}

it("An object remembers its newest passes, and not those before them", async () => {
  const person = await settled(await makeSources("spotify", 1), "spotify")
  await person.sql(
    `INSERT INTO polls (provider, trigger, started_at, duration_ms, outcome, asked, failed, items_found, requests)
    SELECT 'spotify', 'alarm', 1, 1, 'polled', 0, 0, 0, 1 FROM json_each(?)`,
    JSON.stringify(Array.from({ length: 45 }, () => 0)),
  )
  for (let pass = 0; pass < 60; pass += 1) {
    await person.pollNow()
    expect(await passes(person)).toBeLessThanOrEqual(50)
  }
  expect(await person.sql("SELECT count(*) AS old FROM polls WHERE started_at = 1")).toEqual([{ old: 0 }])
  expect(await passes(person)).toBe(50)
})

describe("One pass is shared", () => {
  it("by the alarm and everybody who polls at the same moment", async () => {
    const { shows, person, gate, before } = await atTheGate()
    const alarm = person.alarm()
    await simulator.waitForHeld(gate)
    const polls = Array.from({ length: 10 }, () => person.pollNow())
    await person.status()
    await simulator.release(gate)
    const answers = await Promise.all(polls)
    expect(await alarm).toBe(true)
    expect(answers.every(({ accounts }) => accounts[0]?.itemsFound === shows.length)).toBe(true)
    expect(await simulator.counts({ person: person.id })).toMatchObject({ byKind: { library: 1, items: shows.length } })
    expect(await passes(person)).toBe(before + 1)
    expect(await person.newIds()).toHaveLength(shows.length)
  })

  it("by an alarm that goes off while somebody polls", async () => {
    const { shows, person, gate, before } = await atTheGate()
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    const alarm = person.alarm()
    await person.status()
    await simulator.release(gate)
    await Promise.all([poll, alarm])
    expect(await simulator.counts({ person: person.id })).toMatchObject({ byKind: { library: 1, items: shows.length } })
    expect(await passes(person)).toBe(before + 1)
  })

  it("and makes at most 6 requests at once, of both providers together", async () => {
    const shows = await makeSources("spotify", 40)
    const channels = await makeSources("youtube", 40)
    const person = await settled([...shows, ...channels], "spotify", "youtube")
    await publishInEach([...shows, ...channels])
    await simulator.setFaults([{ match: { person: person.id }, fault: { type: "slow", ms: 20 } }])
    const gate = await simulator.hold({ person: person.id, kind: "items" })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate, 6)
    await simulator.release(gate)
    expect(await poll).toMatchObject({ delivered: 80 })
    expect(await simulator.maxConcurrent({ person: person.id })).toBe(6)
  })
})

describe("Progress", () => {
  it("is told once for every source that was asked, to everybody who waits for the pass", async () => {
    const { shows, person, gate } = await atTheGate()
    const [failing = ""] = shows
    await simulator.setFaults([{ match: { person: person.id, path: failing }, fault: { type: "status", status: 500 } }])
    const told: [Array<PollProgress>, Array<PollProgress>] = [[], []]
    const first = person.pollNow((progress) => told[0].push(progress))
    await simulator.waitForHeld(gate)
    const second = person.pollNow((progress) => told[1].push(progress))
    await person.status()
    await simulator.release(gate)
    await Promise.all([first, second])
    expect(told[1]).toEqual(told[0])
    expect(told[0].map(({ finished, total }) => [finished, total])).toEqual(shows.map((_, index) => [index + 1, 5]))
    expect(new Set(told[0].map(({ sourceId }) => sourceId))).toEqual(new Set(shows))
    expect(told[0].filter(({ outcome, itemsFound }) => outcome === "polled" && itemsFound === 1)).toHaveLength(4)
    expect(told[0].filter(({ outcome }) => outcome === "failed")).toMatchObject([{ sourceId: failing, itemsFound: 0 }])
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("nobody listens")
      },
    ],
    ["rejects", () => Promise.reject(new Error("nobody listens"))],
  ])("stops nothing where the callback %s", async (_how, onProgress) => {
    const { person, gate, published } = await atTheGate()
    await simulator.release(gate)
    expect(await person.pollNow(onProgress)).toMatchObject({ delivered: published.length })
  })

  it("stops nothing where the caller goes away in the middle", async () => {
    const { shows, person, gate, published } = await atTheGate()
    const told: Array<PollProgress> = []
    // The caller is an object of its own, which dies while its callback is still wanted.
    const caller = new Person()
    const called = runInDurableObject(caller.stub, async (_instance, state) => {
      const poll = exports.GatewayEntrypoint.pollNow({ userId: person.id }, (progress) => void told.push(progress))
      await simulator.waitForHeld(gate)
      state.abort("gone")
      await poll
    })
    await expect(called).rejects.toThrow("gone")
    const staying = person.pollNow()
    await person.status()
    await simulator.release(gate)
    await staying
    expect(told).toEqual([])
    expect(new Set(await person.newIds())).toEqual(new Set(published))
    expect([...(await timesAsked(person)).values()]).toEqual(shows.map(() => 1))
  })
})
