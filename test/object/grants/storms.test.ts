import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { makeSources, minute, publishInEach, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const tokenRequests = async (person: Person) => (await simulator.ledger({ person: person.id, kind: "token" })).length

describe("A pass", () => {
  it("refreshes a token that lives for 3 minutes once, and not for every group of requests", async () => {
    const sources = await makeSources("spotify", 20)
    const person = await settled(sources, "spotify")
    await simulator.setFaults([
      { match: { person: person.id, kind: "token" }, fault: { type: "patch", patch: { expires_in: 180 } } },
    ])
    await publishInEach(sources)
    clock.aheadMs = 60 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", failed: 0 }] })
    expect(await tokenRequests(person)).toBe(1)
    clock.aheadMs += 2 * minute
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await tokenRequests(person)).toBe(1)
    clock.aheadMs += minute - 15_000
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await tokenRequests(person)).toBe(2)
  })

  it("asks a dead token endpoint once, however many of its requests are rejected", async () => {
    const sources = await makeSources("spotify", 20)
    const person = await settled(sources, "spotify")
    await publishInEach(sources)
    await simulator.setFaults([
      { match: { person: person.id, kind: "token" }, fault: { type: "status", status: 503 } },
      { match: { person: person.id, kind: "items" }, fault: { type: "status", status: 401 } },
    ])
    await person.pollNow()
    expect(await tokenRequests(person)).toBe(1)
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "failed" }] })
    expect(await tokenRequests(person)).toBe(1)
  })
})
