import { abortAllDurableObjects } from "cloudflare:test"
import { afterEach, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources, publishInEach, settled } from "../following.ts"
import { simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

it("An object that one source kills each time finds out which, leaves it alone, and delivers the rest", async () => {
  const shows = await makeSources("spotify", 8)
  const person = await settled(shows, "spotify")
  const published = await publishInEach(shows)
  const deadly = shows[5] ?? ""
  const mine = published[5]
  let deaths = 0
  for (let isAlive = false; !isAlive && deaths < 10; ) {
    const gate = await simulator.hold({ person: person.id, path: deadly })
    const poll = person.pollNow().then(
      () => true,
      () => true,
    )
    isAlive = await Promise.race([
      poll,
      simulator.waitForHeld(gate).then(
        () => false,
        () => true,
      ),
    ])
    if (!isAlive) {
      deaths += 1
      await abortAllDurableObjects()
    }
    await simulator.release(gate)
    await poll
  }
  // Three that said nothing, and one in which the source was known.
  expect(deaths).toBe(4)
  const { failing } = await person.status()
  expect(failing).toMatchObject([{ sourceId: deadly, reason: expect.stringContaining("the object died") }])
  await person.wake()
  expect(new Set(await person.newIds())).toEqual(new Set(published.filter((id) => id !== mine)))

  clock.aheadMs = 25 * hour
  await person.alarm()
  expect(new Set(await person.newIds())).toEqual(new Set(published))
  expect(await person.status()).toMatchObject({ failing: [] })
})
