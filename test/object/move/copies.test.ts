import { evictDurableObject } from "cloudflare:test"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { fingerprint, newFingerprintKey } from "../../../src/domain/fingerprint.ts"
import { clock } from "../../worker.ts"
import { simulator } from "../person.ts"
import { lastingKey, PersonInMove, toTokens } from "../personInMove.ts"

const somebody = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 3 })
  return new PersonInMove().follows(show) as Promise<PersonInMove>
}

/** Somebody of whose grant in D1 the object keeps a copy. */
const copied = async () => {
  const person = await somebody()
  const grant = await person.hasInDatabase("spotify")
  await person.importGrant("spotify", grant)
  return { person, grant }
}

const outcome = ({ accounts }: { readonly accounts: ReadonlyArray<{ readonly outcome: string }> }) =>
  accounts.map((account) => account.outcome)

describe("A copy of a grant that D1 holds", () => {
  it("is neither polled, refreshed, exercised nor reported, and sets no alarm", async () => {
    const { person } = await copied()
    expect((await person.status()).alarmAt).toBeNull()
    await person.wake()
    await person.pollNow()
    await person.refreshInObject()
    clock.aheadMs = 31 * 24 * 3_600_000
    await person.wake()
    await person.alarm()
    clock.aheadMs = 0
    expect(await person.requests()).toBe(0)
    expect((await person.status()).alarmAt).toBeNull()
    // Nothing of it goes to D1: the row is as it was.
    expect(await person.row("spotify")).toMatchObject({ holder: "database", epoch: 1, generation: 1, updated_at: 1 })
  })

  it("opens to what went in, also after an eviction, and works", async () => {
    const { person, grant } = await copied()
    await evictDurableObject(person.stub)
    const key = newFingerprintKey()
    const expected = await Effect.runPromise(fingerprint(key, toTokens(grant)))
    expect(await person.fingerprints(true, key)).toMatchObject([
      { provider: "spotify", epoch: 1, isHolder: false, fingerprint: expected, use: "works", reason: null },
    ])
    expect(await person.tokenRequests()).toBe(0)
  })

  it("is replaced by what D1 has after a refresh, and never by something older that arrives late", async () => {
    const { person, grant } = await copied()
    const newer = await simulator.grant(person.id, "spotify")
    expect(outcome(await person.importGrant("spotify", newer, { generation: 3 }))).toEqual(["imported"])
    expect(outcome(await person.importGrant("spotify", grant, { generation: 2 }))).toEqual(["kept"])
    expect(outcome(await person.importGrant("spotify", newer, { epoch: 3 }))).toEqual(["imported"])
    expect(outcome(await person.importGrant("spotify", grant, { epoch: 1, generation: 9 }))).toEqual(["kept"])
    const key = newFingerprintKey()
    const expected = await Effect.runPromise(fingerprint(key, toTokens(newer)))
    expect(await person.fingerprints(false, key)).toMatchObject([{ fingerprint: expected, use: "not_tried" }])
  })

  it("never replaces a grant that the object holds", async () => {
    const person = await somebody()
    await person.connects("spotify")
    const before = await person.fingerprints(false, lastingKey)
    const other = await simulator.grant(person.id, "spotify")
    expect(outcome(await person.importGrant("spotify", other, { epoch: 9, generation: 9 }))).toEqual(["kept"])
    expect(await person.fingerprints(false, lastingKey)).toEqual(before)
    expect(before).toMatchObject([{ isHolder: true, epoch: 1 }])
  })

  it("of a grant that the provider no longer takes is told apart from one that has expired", async () => {
    const { person } = await copied()
    clock.aheadMs = 2 * 3_600_000
    expect(await person.fingerprints(true)).toMatchObject([{ use: "expired" }])
    clock.aheadMs = 0
    await simulator.expireAccessTokens({ person: person.id })
    expect(await person.fingerprints(true)).toMatchObject([{ use: "refused" }])
    await simulator.setFaults([
      { match: { person: person.id, kind: "library" }, fault: { type: "status", status: 503 } },
    ])
    expect(await person.fingerprints(true)).toMatchObject([{ use: "unknown" }])
    expect(await person.tokenRequests()).toBe(0)
  })

  it("is gone when it is discarded, and what the object holds stays", async () => {
    const { person } = await copied()
    expect(await person.discardCopies()).toEqual({ discarded: ["spotify"] })
    expect(await person.discardCopies()).toEqual({ discarded: [] })
    expect(await person.fingerprints()).toEqual([])
    expect((await person.status()).accounts.filter(({ holder }) => holder === "object")).toEqual([])
    const holder = await somebody()
    await holder.connects("spotify")
    expect(await holder.discardCopies()).toEqual({ discarded: [] })
    expect(await holder.fingerprints(true)).toMatchObject([{ isHolder: true, use: "works" }])
  })
})
