import { abortAllDurableObjects } from "cloudflare:test"
import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { makeSources, minute, settled } from "../following.ts"
import { Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const account = async (person: Person) => (await person.status()).accounts[0]
const tokenRequests = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "token" })).length
const refuse = (person: Person, times: number) =>
  simulator.setFaults([{ match: { person: person.id }, fault: { type: "invalid_grant" }, times }])

/** Goes on to the alarm once D1 has been told what there is to tell, and fires it. */
const untilAlarm = async (person: Person) => {
  await person.wake()
  clock.aheadMs = ((await person.alarmAt()) ?? 0) - Date.now() + 1000
  await person.alarm()
}

/** Somebody whose good grant was refused just now. */
const refused = async (times: number) => {
  const person = await settled(await makeSources("spotify", 1), "spotify")
  await refuse(person, times)
  expect(await person.refreshTokens({ force: true })).toMatchObject({
    accounts: [{ outcome: "reauthorization_required" }],
  })
  return person
}

describe("A good grant that an outage refused", () => {
  it.each([1, 2])(
    "recovers by itself after being refused %i times, with an event, and is polled again",
    async (times) => {
      const person = await refused(times)
      for (let refusals = 0; refusals < times; refusals += 1) {
        expect(await account(person)).toMatchObject({ state: "reauthorization_required", reason: "invalid_grant" })
        await untilAlarm(person)
      }
      expect(await account(person)).toMatchObject({ state: "connected", reason: null })
      const types = (await person.status()).events.map(({ type }) => type)
      expect(types.slice(0, 3)).toEqual(["recovered", "rotated", "reauthorization_required"])
      expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
      expect(await tokenRequests(person)).toBe(times + 1)
    },
  )

  it("is not asked of its provider before its time, whoever asks", async () => {
    const person = await refused(1)
    clock.aheadMs = 50 * minute
    await person.pollNow()
    await person.refreshTokens({ force: true })
    await person.validateTokens()
    await person.wake()
    expect(await tokenRequests(person)).toBe(1)
  })

  it("waits for the end of an outage that is one in every way, and recovers then", async () => {
    const person = await refused(1)
    await simulator.setFaults([
      { match: { person: person.id, kind: "token" }, fault: { type: "status", status: 503 }, times: 2 },
    ])
    for (let rounds = 0; rounds < 3; rounds += 1) await untilAlarm(person)
    expect(await account(person)).toMatchObject({ state: "connected" })
  })

  it("gives way to what the person sets meanwhile", async () => {
    const person = await refused(1)
    await person.connects("spotify")
    expect(await account(person)).toMatchObject({ state: "connected" })
    expect(await person.sql("SELECT refusals, refused_retry_at FROM tokens")).toEqual([
      { refusals: 0, refused_retry_at: null },
    ])
  })

  it("is removed with the account", async () => {
    const person = await refused(1)
    await person.removeToken("spotify")
    await person.wake()
    expect(await person.alarmAt()).toBeNull()
  })
})

describe("A refresh that its process did not survive", () => {
  const cutOff = async () => {
    const person = new Person()
    await person.connects("spotify")
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { times: 1 })
    const refresh = person.refreshTokens({ force: true }).catch(() => undefined)
    await simulator.waitForHeld(gate)
    await abortAllDurableObjects()
    await simulator.release(gate)
    await refresh
    return person
  }

  it("is told of beside the refusal that comes of it", async () => {
    const person = await cutOff()
    await refuse(person, 1)
    await person.refreshTokens({ force: true })
    expect((await account(person))?.reason).toBe("invalid_grant, after a refresh that was interrupted")
  })

  it("is forgotten once another has worked", async () => {
    const person = await cutOff()
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    expect(await person.sql("SELECT refresh_begun_at FROM tokens")).toEqual([{ refresh_begun_at: null }])
  })
})
