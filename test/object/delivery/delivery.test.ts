import { describe, expect, it } from "vitest"
import { Person, simulator } from "../person.ts"

describe("the thin path", () => {
  it("takes a show from setToken to rows in D1: the newest 20 as backfill, later episodes as new", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 60 })
    const person = await new Person().follows(show)
    await person.connects("spotify")
    const first = await person.pollNow()
    expect(first.accounts).toMatchObject([
      { provider: "spotify", outcome: "polled", sources: 1, asked: 1, itemsFound: 20 },
    ])
    expect(first).toMatchObject({ delivered: 20, undelivered: 0 })
    expect((await person.feed()).every(({ isBackfill }) => isBackfill === 1)).toBe(true)

    const published = await simulator.publish(show, 3)
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    expect(new Set(await person.newIds())).toEqual(new Set(published.map(({ id }) => id)))
    expect(await person.pollNow()).toMatchObject({ delivered: 0 })
  })

  it("does the same for a channel", async () => {
    const channel = await simulator.createSource({ provider: "youtube", items: 60 })
    const person = await new Person().follows(channel)
    await person.connects("youtube")
    expect(await person.pollNow()).toMatchObject({ delivered: 20 })
    const published = await simulator.publish(channel, 3)
    expect(await person.pollNow()).toMatchObject({ delivered: 3 })
    expect(new Set(await person.newIds())).toEqual(new Set(published.map(({ id }) => id)))
  })
})
