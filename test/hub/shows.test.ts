import { afterEach, describe, expect, it } from "vitest"
import { Person, simulator } from "../object/person.ts"
import { clock, outages } from "../worker.ts"

afterEach(async () => {
  clock.aheadMs = 0
  outages.hubs = false
  await simulator.clearFaults()
})

const hour = 3_600_000

const makeShow = (items = 5) => simulator.createSource({ provider: "spotify", items })

const follower = async (...shows: ReadonlyArray<string>) => {
  const person = await new Person().follows(...shows)
  await person.connects("spotify")
  await person.pollNow()
  return person
}

/** How often the episodes of a show have been asked for. */
const timesAsked = async (show: string) =>
  (await simulator.ledger({ kind: "items" })).filter(({ path }) => path.includes(show)).length

describe("a show that several people follow", () => {
  it("is asked for a new episode once, whoever sees first that there is one", async () => {
    const show = await makeShow()
    const people: Array<Person> = []
    for (let count = 0; count < 5; count += 1) people.push(await follower(show))
    for (const person of people) expect(await person.feed()).toHaveLength(5)
    expect(await timesAsked(show)).toBe(1)
    clock.aheadMs = hour
    const [episode] = await simulator.publish(show, 1)
    for (const person of people) await person.pollNow()
    for (const person of people) expect(await person.newIds()).toEqual([episode?.id])
    expect(await timesAsked(show)).toBe(2)
  })

  it("is rechecked once for all: an episode that its count does not tell reaches everybody", async () => {
    const show = await makeShow()
    const people = [await follower(show), await follower(show), await follower(show)]
    const [first] = await simulator.items(show)
    await simulator.removeItem(first?.id ?? "")
    const [episode] = await simulator.publish(show, 1)
    const before = await timesAsked(show)
    clock.aheadMs = 30 * hour
    for (const person of people) {
      await person.alarm()
      expect(await person.newIds()).toEqual([episode?.id])
    }
    expect(await timesAsked(show)).toBe(before + 1)
  })

  it("is asked by each while hubs do not answer", async () => {
    const show = await makeShow()
    const people = [await follower(show), await follower(show)]
    outages.hubs = true
    clock.aheadMs = hour
    const [episode] = await simulator.publish(show, 1)
    for (const person of people) {
      await person.pollNow()
      expect(await person.newIds()).toEqual([episode?.id])
    }
  })

  it("is asked again by somebody whom what others could play tells nothing of: an episode that one cannot play", async () => {
    const show = await makeShow()
    const people = [await follower(show), await follower(show)]
    clock.aheadMs = hour
    const [episode] = await simulator.publish(show, [{ kind: "unplayable" }])
    const before = await timesAsked(show)
    for (const person of people) await person.pollNow()
    expect(await timesAsked(show)).toBe(before + 2)
    await simulator.changeItem(episode?.id ?? "", { kind: "normal" })
    clock.aheadMs = 30 * hour
    for (const person of people) {
      await person.alarm()
      expect(await person.newIds()).toEqual([episode?.id])
    }
  })

  it("brings a new follower the same backfill without a request", async () => {
    const show = await makeShow(40)
    const [ada, bob] = [await follower(show), await follower(show)]
    expect(await bob.feed()).toEqual(await ada.feed())
    expect(await bob.feed()).toHaveLength(20)
    expect(await timesAsked(show)).toBe(1)
  })
})
