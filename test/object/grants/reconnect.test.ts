import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it, vi } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import { clock } from "../../worker.ts"
import { type Person, simulator } from "../person.ts"
import { PersonInMove, toTokens } from "../personInMove.ts"

const day = 24 * 3_600_000
const lifetimeMs = 181 * day

afterEach(() => {
  clock.aheadMs = 0
  vi.restoreAllMocks()
})

const somebody = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 1 })
  return (await new PersonInMove().follows(show)) as PersonInMove
}

/** Sets a grant that the person authorized then; `undefined`: the caller says nothing. */
const sets = async (person: Person, provider: Provider, authorizedAt: number | null | undefined) => {
  const grant = await simulator.grant(person.id, provider, authorizedAt == null ? {} : { authorizedAt })
  const tokens = { ...toTokens(grant), ...(authorizedAt === undefined ? {} : { authorizedAt }) }
  return person.run(person.setToken({ userId: person.id, provider, tokens }))
}

const warnings = async (person: Person) =>
  (await person.status()).events.filter(({ type }) => type === "reconnect_soon").map(({ detail }) => detail)

describe("A grant of Spotify", () => {
  it("that a person sets was authorized then, ends six months later, and no refresh changes that", async () => {
    const person = await somebody()
    const before = Date.now()
    await sets(person, "spotify", undefined)
    const set = await person.account("spotify")
    expect(set?.authorizedAt).toBeGreaterThanOrEqual(before)
    expect(set?.authorizedAt).toBeLessThanOrEqual(Date.now())
    expect(set?.reconnectBy).toBe((set?.authorizedAt ?? 0) + lifetimeMs)
    await person.refreshTokens({ force: true })
    expect(await person.account("spotify")).toMatchObject({
      authorizedAt: set?.authorizedAt,
      reconnectBy: set?.reconnectBy,
    })
  })

  it("was authorized when the caller says, or nobody knows when", async () => {
    const person = await somebody()
    const authorizedAt = Date.now() - 100 * day
    await sets(person, "spotify", authorizedAt)
    expect(await person.account("spotify")).toMatchObject({ authorizedAt, reconnectBy: authorizedAt + lifetimeMs })
    await sets(person, "spotify", null)
    expect(await person.account("spotify")).toMatchObject({ authorizedAt: null, reconnectBy: null })
  })

  it("is told of 30, 7 and 1 days before it ends, once each and to the Queue too, by the alarm", async () => {
    const queue = env.TOKEN_EVENTS
    if (queue === undefined) throw new Error("no queue is bound")
    const send = vi.spyOn(queue, "sendBatch")
    const person = await somebody()
    const authorizedAt = Date.now() - lifetimeMs + 40 * day
    await sets(person, "spotify", authorizedAt)
    await person.alarm()
    expect(await warnings(person)).toEqual([])
    for (const left of [30, 30, 7, 7, 1, 1]) {
      clock.aheadMs = (40 - left) * day
      await person.wake()
      await person.alarm()
    }
    const by = new Date(authorizedAt + lifetimeMs).toISOString()
    const expected = [30, 7, 1].map((days) => `${days} days left: connect again by ${by}`.replace("1 days", "1 day"))
    expect((await warnings(person)).reverse()).toEqual(expected)
    const sent = send.mock.calls
      .flatMap(([messages]) =>
        [...messages].map(({ body }) => body as { userId: string; type: string; detail: string }),
      )
      .filter(({ userId, type }) => userId === person.id && type === "reconnect_soon")
    expect(sent.map(({ detail }) => detail)).toEqual(expected)
  })

  it("sets the alarm to its next warning where nothing else is due before", async () => {
    const person = await somebody()
    const authorizedAt = Date.now() - lifetimeMs + 30 * day + 60_000
    await sets(person, "spotify", authorizedAt)
    await person.pollNow()
    expect(await person.alarmAt()).toBe(authorizedAt + lifetimeMs - 30 * day)
  })

  it("that takes the place of one that ends begins anew, warnings and all", async () => {
    const person = await somebody()
    await sets(person, "spotify", Date.now() - lifetimeMs + 5 * day)
    await person.alarm()
    expect(await warnings(person)).toHaveLength(1)
    const again = Date.now() - lifetimeMs + 6 * day
    await sets(person, "spotify", again)
    await person.alarm()
    expect(await warnings(person)).toHaveLength(2)
    expect(await person.account("spotify")).toMatchObject({ reconnectBy: again + lifetimeMs, state: "connected" })
  })

  it("is not refreshed to keep it alive, since that does not extend it; one of Google is", async () => {
    const person = await somebody()
    for (const provider of ["spotify", "youtube"] as const) await sets(person, provider, undefined)
    await person.alarm()
    await person.sql("UPDATE accounts SET held_until = ?", Date.now() + 60 * day)
    await person.sql("UPDATE tokens SET exercised_at = ?", Date.now() - 31 * day)
    await person.refreshTokens()
    await person.alarm()
    expect([await person.tokenRequests("spotify"), await person.tokenRequests("youtube")]).toEqual([0, 1])
  })
})

describe("When a grant was authorized", () => {
  const authorizedAt = Date.now() - 90 * day

  it("goes along from D1 into the object, through its refresh, into D1's mirror, the export, and back", async () => {
    const person = await somebody()
    await person.importGrant("spotify", await person.hasInDatabase("spotify"), { authorizedAt })
    expect((await person.account("spotify"))?.authorizedAt).toBe(authorizedAt)
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2, [], true)
    await person.refreshTokens({ force: true })
    await person.setMirror(true)
    expect(await person.row("spotify")).toMatchObject({ authorized_at: authorizedAt })
    const [exported] = (await person.exportTokens()).accounts
    expect(exported?.tokens.authorizedAt).toBe(authorizedAt)
    const [back] = (await person.handBack("spotify", 3)).accounts
    expect(back?.tokens?.authorizedAt).toBe(authorizedAt)
  })

  it("stays unknown where it was never known: a move is no authorization", async () => {
    const person = await somebody()
    await person.importGrant("spotify", await person.hasInDatabase("spotify"))
    await person.switchTo("spotify", "object", 2)
    await person.takeOver("spotify", 2)
    expect(await person.account("spotify")).toMatchObject({ authorizedAt: null, reconnectBy: null })
  })

  it("is told to D1 by the object that holds the account, tokens or not, and forgotten with the grant", async () => {
    const person = await somebody()
    await sets(person, "spotify", authorizedAt)
    await person.pollNow()
    expect(await person.row("spotify")).toMatchObject({ authorized_at: authorizedAt, access_token: null })
    await person.removeToken("spotify")
    await person.pollNow()
    expect(await person.row("spotify")).toMatchObject({ authorized_at: null })
  })

  it("is kept in D1 for an account that D1 holds, through a refresh there, and goes into the object's copy", async () => {
    const person = await somebody()
    await person.importGrant("spotify", await person.hasInDatabase("spotify"))
    await person.isAt("shadow")
    await sets(person, "spotify", authorizedAt)
    expect(await person.row("spotify")).toMatchObject({ authorized_at: authorizedAt, holder: "database" })
    await person.refreshTokens({ force: true })
    expect(await person.row("spotify")).toMatchObject({ authorized_at: authorizedAt })
    expect(await person.account("spotify")).toMatchObject({ authorizedAt, reconnectBy: authorizedAt + lifetimeMs })
    expect(await person.sql("SELECT authorized_at FROM tokens")).toEqual([{ authorized_at: authorizedAt }])
    await person.removeToken("spotify")
    expect(await person.row("spotify")).toMatchObject({ authorized_at: null })
  })
})
