import { abortAllDurableObjects, runInDurableObject } from "cloudflare:test"
import { afterEach, expect, it } from "vitest"
import { providers } from "../../src/domain/provider.ts"
import { clock } from "../worker.ts"
import { hour, makeSources, publishInEach, settled } from "./following.ts"
import { type Person, simulator } from "./person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

/** How often the platform tries an alarm again: https://developers.cloudflare.com/durable-objects/api/alarms/ */
const retriesOfPlatform = 6

/** The platform tries the alarm again and again, and the object dies whenever the provider is asked this. Returns how often. */
const dieIn = async (person: Person, path: string) => {
  for (let retryCount = 0; retryCount <= retriesOfPlatform; retryCount++) {
    const gate = await simulator.hold({ person: person.id, path })
    const alarm = runInDurableObject(person.stub, (object) =>
      object.alarm({ isRetry: retryCount > 0, retryCount, scheduledTime: 0 }),
    )
    const isAlive = await Promise.race([
      alarm.then(() => true),
      simulator.waitForHeld(gate).then(
        () => false,
        () => true,
      ),
    ])
    if (!isAlive) await abortAllDurableObjects()
    await simulator.release(gate)
    await Promise.allSettled([alarm])
    if (isAlive) return retryCount
  }
  return retriesOfPlatform + 1
}

it("An object that dies whenever it reads a library finds out, leaves that account alone, and polls the other", async () => {
  const channels = await makeSources("youtube", 2)
  const person = await settled([...(await makeSources("spotify", 1)), ...channels], ...providers)
  const published = await publishInEach(channels)
  clock.aheadMs = 25 * hour
  // Three that said nothing, and one of which the part was known.
  expect(await dieIn(person, "/v1/me/shows")).toBe(4)
  expect(new Set(await person.newIds())).toEqual(new Set(published))
  const after = await person.status()
  expect(after.polls.slice(0, 2)).toMatchObject([
    { provider: "youtube", outcome: "polled" },
    { provider: "spotify", outcome: "unavailable" },
  ])
  expect(after.accounts).toMatchObject([{ state: "connected" }, { state: "connected" }])
  expect(after.alarmAt).toBeGreaterThan(Date.now() + clock.aheadMs)

  clock.aheadMs += 2 * hour
  await person.alarm()
  expect((await person.status()).polls[0]).toMatchObject({ provider: "spotify", outcome: "polled" })
})
