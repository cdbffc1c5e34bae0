import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import { d1Outage, hangingBatch, watchD1 } from "../outage.ts"
import { simulator } from "../person.ts"
import { PersonInMove } from "../personInMove.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

/** Somebody whose object has taken an account over as of epoch 2 and polled once. */
const holding = async (isMirrored: boolean) => {
  const show = await simulator.createSource({ provider: "spotify", items: 3 })
  const person = (await new PersonInMove().follows(show)) as PersonInMove
  await person.importGrant("spotify", await person.hasInDatabase("spotify"))
  await person.switchTo("spotify", "object", 2)
  await person.takeOver("spotify", 2, [], isMirrored)
  await person.pollNow()
  await person.wake()
  return person
}

const newest = async (person: PersonInMove) => (await simulator.tokenState(person.id, "spotify")).newestRefreshToken

describe("D1's mirror of a grant that an object holds", () => {
  it("has the rotated token after a refresh, in a generation of its own", async () => {
    const person = await holding(true)
    const before = await person.row("spotify")
    await person.refreshTokens({ force: true })
    await person.alarm()
    const after = await person.row("spotify")
    expect(after?.refresh_token).toBe(await newest(person))
    expect(after?.refresh_token).not.toBe(before?.refresh_token)
    expect(after).toMatchObject({ holder: "object", epoch: 2, generation: (before?.generation ?? 0) + 1 })
    expect(after?.expires_at).toBe((await person.account("spotify"))?.expiresAt)
  })

  it("has the token that a person has set, and none after they have taken it away", async () => {
    const person = await holding(true)
    await person.connects("spotify")
    await person.alarm()
    expect((await person.row("spotify"))?.refresh_token).toBe(await newest(person))
    await person.removeToken("spotify")
    await person.alarm()
    expect(await person.row("spotify")).toMatchObject({
      state: "disconnected",
      is_active: 0,
      access_token: null,
      refresh_token: null,
    })
  })

  it("waits in the outbox without a token in it, and gets the newest when D1 is back", async () => {
    const person = await holding(true)
    {
      await using _outage = await d1Outage()
      await person.refreshTokens({ force: true })
      await person.refreshTokens({ force: true })
      const rows = await runInDurableObject(person.stub, (_instance, { storage }) =>
        storage.sql.exec<{ kind: string; body: string }>("SELECT kind, body FROM outbox").toArray(),
      )
      expect(rows).toContainEqual({ kind: "mirror", body: '{"provider":"spotify"}' })
      for (const secret of await simulator.secrets()) expect(JSON.stringify(rows)).not.toContain(secret)
    }
    await person.wake()
    expect((await person.row("spotify"))?.refresh_token).toBe(await newest(person))
    expect((await person.status()).undelivered).toBe(0)
  })

  it("is not written once D1 has the right again, or another epoch", async () => {
    for (const [holder, epoch] of [
      ["database", 2],
      ["database", 3],
      ["object", 4],
    ] as const) {
      const person = await holding(true)
      await person.switchTo("spotify", holder, epoch)
      const before = await person.row("spotify")
      await person.refreshTokens({ force: true })
      await person.wake()
      expect(await person.row("spotify")).toEqual(before)
    }
  })

  it("costs an idle poll no query to D1, and a refresh none where there is no mirror", async () => {
    const mirrored = await holding(true)
    const alone = await holding(false)
    using d1 = watchD1()
    expect(await mirrored.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", asked: 0 }] })
    await alone.refreshTokens({ provider: "spotify", force: true })
    await alone.pollNow()
    await alone.alarm()
    expect(d1.queries()).toBe(0)
    await mirrored.refreshTokens({ provider: "spotify", force: true })
    await mirrored.alarm()
    expect(d1.batches()).toBe(1)
  })

  it("is not kept without being asked for", async () => {
    const person = await holding(false)
    const before = await person.row("spotify")
    await person.refreshTokens({ force: true })
    await person.wake()
    expect((await person.row("spotify"))?.refresh_token).toBe(before?.refresh_token)
  })
})

describe("setMirror", () => {
  it("answers when D1 has every grant that is held", async () => {
    const person = await holding(false)
    await person.refreshTokens({ force: true })
    expect(await person.setMirror(true)).toEqual({ isMirrored: true })
    expect((await person.row("spotify"))?.refresh_token).toBe(await newest(person))
  })

  it("fails when D1 is down, and when D1 takes the statement but says that somebody else has the right", async () => {
    const person = await holding(false)
    await person.refreshTokens({ force: true })
    vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1 is down"))
    await expect(person.setMirror(true)).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    vi.restoreAllMocks()
    await person.switchTo("spotify", "database", 3)
    await expect(person.setMirror(true)).rejects.toMatchObject({ _tag: "DatabaseUnavailable" })
    await person.switchTo("spotify", "object", 2)
    expect(await person.setMirror(true)).toEqual({ isMirrored: true })
  })

  it("stops the mirror, with what waited to be mirrored", async () => {
    const person = await holding(true)
    {
      await using _outage = await d1Outage()
      await person.refreshTokens({ force: true })
      expect(await person.setMirror(false)).toEqual({ isMirrored: false })
    }
    const before = await person.row("spotify")
    await person.refreshTokens({ force: true })
    await person.wake()
    expect(await person.row("spotify")).toEqual(before)
  })
})

describe("A mirror that is stopped while a delivery is under way", () => {
  it("takes no row of the outbox with it that comes meanwhile", async () => {
    const person = await holding(true)
    const show = (await person.subscriptions())[0]?.sourceId ?? ""
    await person.refreshTokens({ force: true })
    const waiting = () => person.sql("SELECT id, kind FROM outbox ORDER BY id")
    using hanging = hangingBatch()
    const delivery = person.alarm()
    await vi.waitFor(() => expect(vi.mocked(env.DB.batch).mock.calls.length).toBe(1))
    const stopped = person.setMirror(false)
    await vi.waitFor(async () =>
      expect(await person.sql("SELECT is_mirrored FROM person")).toEqual([{ is_mirrored: 0 }]),
    )
    const published = (await simulator.publish(show, 1)).map(({ id }) => id)
    await person.becomesDue("spotify")
    const poll = person.pollNow()
    await vi.waitFor(async () => expect((await waiting()).map(({ kind }) => kind)).toContain("item"), 5000)
    hanging.answer()
    await Promise.all([delivery, stopped, poll])
    await person.wake()
    expect(await person.newIds()).toEqual(published)
  })
})
