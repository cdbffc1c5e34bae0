import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Redacted } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import { call } from "../../../src/rpc/call.ts"
import { HandBack } from "../../../src/rpc/move.ts"
import { clock } from "../../worker.ts"
import { d1Outage, watchD1 } from "../outage.ts"
import { simulator } from "../person.ts"
import { PersonInMove } from "../personInMove.ts"

afterEach(() => {
  clock.aheadMs = 0
})

/** Somebody whose object holds an account as of epoch 2, and has polled. */
const holding = async (items = 3) => {
  const show = await simulator.createSource({ provider: "spotify", items })
  const person = (await new PersonInMove().follows(show)) as PersonInMove
  await person.importGrant("spotify", await person.hasInDatabase("spotify"))
  await person.switchTo("spotify", "object", 2)
  await person.takeOver("spotify", 2)
  await person.pollNow()
  return { person, show }
}

const refreshTokens = async (handed: Awaited<ReturnType<PersonInMove["handBack"]>>) =>
  handed.accounts.map(({ tokens }) => tokens && Redacted.value(tokens.refreshToken))

describe("An account that is handed back", () => {
  it("is given up before the newest tokens are told, and stays so after an eviction", async () => {
    const { person } = await holding()
    await person.refreshTokens({ force: true })
    const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
    const handed = await person.handBack("spotify", 3)
    expect(handed.accounts).toMatchObject([
      { provider: "spotify", epoch: 3, outcome: "handed_back", state: "connected" },
    ])
    expect(await refreshTokens(handed)).toEqual([newestRefreshToken])
    await evictDurableObject(person.stub)
    expect(await person.account("spotify")).toMatchObject({ holder: "database", epoch: 3 })
    const before = await person.requests()
    clock.aheadMs = 31 * 24 * 3_600_000
    await person.refreshInObject()
    await person.pollNow()
    await person.wake()
    await person.alarm()
    expect(await person.requests()).toBe(before)
    expect((await person.status()).alarmAt).toBeNull()
  })

  it("waits for the refresh under way and goes back with what that brought", async () => {
    const { person } = await holding()
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { afterProcessing: true, times: 1 })
    const refresh = person.refreshTokens({ force: true })
    await simulator.waitForHeld(gate)
    let isAnswered = false
    const handing = person.handBack("spotify", 3).finally(() => {
      isAnswered = true
    })
    // Still the object's while its refresh is under way: it could write down nothing else.
    expect(await person.account("spotify")).toMatchObject({ holder: "object", epoch: 2 })
    expect(isAnswered).toBe(false)
    await simulator.release(gate)
    const handed = await handing
    expect(await refresh).toMatchObject({ accounts: [{ outcome: "refreshed" }] })
    const { newestRefreshToken, refreshes } = await simulator.tokenState(person.id, "spotify")
    expect(refreshes).toBe(1)
    expect(await refreshTokens(handed)).toEqual([newestRefreshToken])
  })

  it("tells the same when it is asked again, without a query to D1", async () => {
    const { person } = await holding()
    const handed = await person.handBack("spotify", 3)
    using d1 = watchD1()
    expect(await person.handBack("spotify", 3)).toEqual(handed)
    expect(d1.queries()).toBe(0)
    expect((await person.status()).events.filter(({ type }) => type === "handed_back")).toHaveLength(1)
  })

  it("does not go back for a call that comes after it was taken over again", async () => {
    const { person } = await holding()
    await person.handBack("spotify", 3)
    await person.takeOver("spotify", 4)
    expect(await person.handBack("spotify", 3)).toMatchObject({
      accounts: [{ outcome: "superseded", epoch: 4, tokens: null }],
    })
    expect(await person.account("spotify")).toMatchObject({ holder: "object", epoch: 4 })
  })

  it("goes back as disconnected where the person has disconnected it", async () => {
    const { person } = await holding()
    await person.removeToken("spotify")
    expect(await person.handBack("spotify", 3)).toMatchObject({
      accounts: [{ outcome: "handed_back", state: "disconnected", tokens: null }],
    })
  })

  it("goes back as reauthorization_required where the provider refused it", async () => {
    const { person } = await holding()
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    expect(await person.handBack("spotify", 3)).toMatchObject({
      accounts: [{ outcome: "handed_back", state: "reauthorization_required" }],
    })
  })

  it("of which the object only ever kept a copy is left to D1's tokens, and cannot be taken over any more", async () => {
    const person = new PersonInMove()
    await person.importGrant("spotify", await person.hasInDatabase("spotify"))
    await person.switchTo("spotify", "object", 2)
    expect(await person.handBack("spotify", 3)).toMatchObject({
      accounts: [{ outcome: "nothing_newer", tokens: null }],
    })
    expect(await person.takeOver("spotify", 2)).toMatchObject({ accounts: [{ outcome: "superseded" }] })
  })

  it("given up before, keeps no other from going when it does not open any more", async () => {
    const { person } = await holding()
    await person.connects("youtube")
    await person.handBack("spotify", 3)
    await person.sql("UPDATE tokens SET key_id = 'lost' WHERE provider = 'spotify'")
    const give = call(HandBack, (wire) => exports.MigrationEntrypoint.handBack(wire))
    const accounts = [
      { provider: "spotify", epoch: 3 },
      { provider: "youtube", epoch: 3 },
    ] as const
    expect(await person.run(give({ userId: person.id, accounts }))).toMatchObject({
      accounts: [
        { provider: "spotify", outcome: "broken", tokens: null },
        { provider: "youtube", outcome: "handed_back" },
      ],
    })
  })

  it("is not given up when it does not open: nobody would have it then", async () => {
    const { person } = await holding()
    await runInDurableObject(person.stub, (_instance, { storage }) => {
      storage.sql.exec("UPDATE tokens SET key_id = 'lost'")
    })
    await expect(person.handBack("spotify", 3)).rejects.toMatchObject({ _tag: "SealBroken", reason: "unknown_key" })
    expect(await person.account("spotify")).toMatchObject({ holder: "object", epoch: 2 })
  })
})

describe("What a hand-over back delivers", () => {
  const cursor = (person: PersonInMove) =>
    env.DB.prepare("SELECT polled_at AS polledAt, item_count AS itemCount FROM user_subscriptions WHERE user_id = ?1")
      .bind(person.id)
      .first<{ polledAt: number | null; itemCount: number | null }>()

  it("is where each source was, for the legacy poller to go on from, and a report after which cron leaves the object alone", async () => {
    const { person, show } = await holding(3)
    expect(await cursor(person)).toEqual({ polledAt: null, itemCount: null })
    await simulator.publish(show, 2)
    await person.pollNow()
    const polledAt = (await person.subscriptions())[0]?.polledAt
    await person.handBack("spotify", 3)
    expect(await cursor(person)).toEqual({ polledAt, itemCount: 5 })
    const report = await env.DB.prepare("SELECT expected_by, accounts FROM durable_object_status WHERE user_id = ?1")
      .bind(person.id)
      .first()
    expect(report).toEqual({ expected_by: null, accounts: "[]" })
  })

  it("is no cursor for a source of which nothing has been listed yet", async () => {
    const show = await simulator.createSource({ provider: "spotify", items: 3, missingLooks: 99 })
    const person = (await new PersonInMove().follows(show)) as PersonInMove
    await person.importGrant("spotify", await person.hasInDatabase("spotify"))
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2)
    await person.pollNow()
    expect(await person.subscriptions()).toMatchObject([{ state: "gone", polledAt: expect.any(Number) }])
    await person.handBack("spotify", 3)
    expect(await cursor(person)).toEqual({ polledAt: null, itemCount: null })
  })

  it("comes before the answer: while D1 does not take it, the call fails, and ends well when it is asked again", async () => {
    const { person, show } = await holding()
    await simulator.publish(show, 2)
    {
      await using _outage = await d1Outage()
      await person.pollNow()
      await expect(person.handBack("spotify", 3)).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
      // Given up all the same: whoever finishes this finds it so.
      expect(await person.account("spotify")).toMatchObject({ holder: "database", epoch: 3 })
    }
    expect(await person.handBack("spotify", 3)).toMatchObject({ accounts: [{ outcome: "handed_back" }] })
    expect(await person.newIds()).toHaveLength(2)
    expect((await person.status()).undelivered).toBe(0)
  })

  it("holds nothing of a poll that was under way: the legacy poller finds those items itself", async () => {
    const { person, show } = await holding()
    await simulator.publish(show, 2)
    const gate = await simulator.hold({ person: person.id, kind: "items" }, { times: 1 })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    await person.handBack("spotify", 3)
    await simulator.release(gate)
    expect(await poll).toMatchObject({ delivered: 0, undelivered: 0 })
    expect(await person.newIds()).toEqual([])
    expect(await cursor(person)).toMatchObject({ itemCount: 3 })
    expect((await person.status()).alarmAt).toBeNull()
  })

  it("is not what a poll that was under way then learns: a refusal that comes after it says nothing any more", async () => {
    const { person } = await holding()
    const match = { person: person.id, kind: "library" } as const
    const body = { error: { status: 403, message: "Insufficient client scope" } }
    await simulator.setFaults([{ match, fault: { type: "status", status: 403, body } }])
    const gate = await simulator.hold(match, { times: 1 })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate)
    const handed = await person.handBack("spotify", 3)
    await simulator.release(gate)
    await poll
    expect(await person.handBack("spotify", 3)).toEqual(handed)
    expect(handed).toMatchObject({ accounts: [{ outcome: "handed_back", state: "connected" }] })
  })

  it("ends a poll that was under way: no more is asked of the provider than was asked already", async () => {
    const shows = await simulator.createSources(Array.from({ length: 9 }, () => ({ provider: "spotify", items: 1 })))
    const { person } = await holding()
    await simulator.subscribe(person.id, ...shows)
    const gate = await simulator.hold({ person: person.id, kind: "items" })
    const poll = person.pollNow()
    await simulator.waitForHeld(gate, 6)
    const before = await person.requests()
    await person.handBack("spotify", 3)
    await simulator.release(gate)
    expect(await poll).toMatchObject({ accounts: [{ outcome: "held_by_database" }] })
    expect(await person.requests()).toBe(before)
  })

  it("leaves D1's row to the migrator: nothing that the object sends changes who holds the account", async () => {
    const { person } = await holding()
    await person.handBack("spotify", 3)
    expect(await person.row("spotify")).toMatchObject({ holder: "object", epoch: 2 })
    await person.switchTo("spotify", "database", 3)
    await person.wake()
    expect(await person.row("spotify")).toMatchObject({ holder: "database", epoch: 3 })
  })

  it("does not write over a row that D1 holds, or that has gone on, even where the object believes that it holds the account", async () => {
    for (const [holder, epoch] of [
      ["database", 2],
      ["database", 3],
      ["object", 4],
    ] as const) {
      const { person } = await holding()
      await person.switchTo("spotify", holder, epoch)
      const before = await person.row("spotify")
      await simulator.revoke(person.id, "spotify")
      await person.refreshInObject()
      await person.wake()
      expect(await person.account("spotify")).toMatchObject({ state: "reauthorization_required" })
      expect((await person.status()).undelivered).toBe(0)
      expect(await person.row("spotify")).toEqual(before)
    }
  })
})
