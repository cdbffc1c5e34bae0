import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { afterEach, describe, expect, it, vi } from "vitest"
import { Person, simulator } from "../person.ts"
import { PersonInMove, toTokens } from "../personInMove.ts"

afterEach(() => {
  vi.restoreAllMocks()
})

const somebody = async () => {
  const show = await simulator.createSource({ provider: "spotify", items: 2 })
  const channel = await simulator.createSource({ provider: "youtube", items: 2 })
  return new Person().follows(show, channel)
}

const revealed = async (person: Person) =>
  (await person.exportTokens()).accounts.map(({ provider, state, tokens }) => ({
    provider,
    state,
    accessToken: Redacted.value(tokens.accessToken),
    refreshToken: Redacted.value(tokens.refreshToken),
    expiresAt: tokens.expiresAt,
    scope: tokens.scope,
  }))

describe("Token events", () => {
  it("tell in getStatus what happened, newest first, and reach the Queue once each", async () => {
    const queue = env.TOKEN_EVENTS
    if (queue === undefined) throw new Error("no queue is bound")
    const send = vi.spyOn(queue, "sendBatch")
    const person = await somebody()
    await person.connects("spotify")
    await person.connects("spotify")
    await person.refreshTokens({ force: true })
    await person.exportTokens()
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    await person.connects("spotify")
    await person.removeToken("spotify")
    const expected = [
      "connected",
      "token_set",
      "rotated",
      "exported",
      "reauthorization_required",
      "connected",
      "disconnected",
    ]
    const { events } = await person.status()
    expect(events.map(({ type }) => type).reverse()).toEqual(expected)
    const sent = send.mock.calls
      .flatMap(([messages]) => [...messages].map(({ body }) => body as { userId: string; id: number; type: string }))
      .filter(({ userId }) => userId === person.id)
    expect(new Map(sent.map(({ id, type }) => [id, type]))).toEqual(
      new Map(expected.map((type, index) => [index + 1, type])),
    )
    expect(sent).toHaveLength(expected.length)
  })

  it("wait in the object while the Queue does not take them", async () => {
    const queue = env.TOKEN_EVENTS
    if (queue === undefined) throw new Error("no queue is bound")
    const send = vi.spyOn(queue, "sendBatch").mockRejectedValue(new Error("the queue is down"))
    const person = await somebody()
    expect(await person.connects("youtube")).toMatchObject({ state: "connected" })
    await person.pollNow()
    const failed = send.mock.calls.length
    expect(failed).toBeGreaterThan(0)
    send.mockRestore()
    const again = vi.spyOn(queue, "sendBatch")
    await person.wake()
    await person.pollNow()
    const bodies = again.mock.calls.flatMap(([messages]) => [...messages].map(({ body }) => body))
    expect(bodies).toContainEqual(expect.objectContaining({ userId: person.id, type: "connected" }))
  })

  it("are kept in their newest 500", async () => {
    const person = await somebody()
    await person.connects("youtube")
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(Array.from({ length: 100 }, () => person.exportTokens()))
    }
    const rows = await runInDurableObject(person.stub, (_instance, { storage }) =>
      storage.sql
        .exec<{ rows: number; newest: number }>("SELECT count(*) AS rows, max(id) AS newest FROM token_events")
        .one(),
    )
    expect(rows.rows).toBe(500)
    expect(rows.newest).toBeGreaterThan(600)
  })
})

describe("removeToken", () => {
  it("forgets the grant and asks its provider nothing any more", async () => {
    const person = await somebody()
    await person.connects("spotify")
    await person.pollNow()
    expect(await person.removeToken("spotify")).toEqual({ removed: true })
    const rows = await runInDurableObject(person.stub, (_instance, { storage }) =>
      storage.sql.exec("SELECT * FROM tokens").toArray(),
    )
    expect(rows).toEqual([])
    const before = (await simulator.counts({ person: person.id })).total
    expect(await person.pollNow()).toMatchObject({ accounts: [] })
    expect(await person.validateTokens()).toEqual({ accounts: [] })
    await expect(person.refreshTokens({ provider: "spotify" })).rejects.toMatchObject({ _tag: "AccountNotConnected" })
    await person.wake()
    await person.alarm()
    expect((await simulator.counts({ person: person.id })).total).toBe(before)
    expect((await person.status()).alarmAt).toBeNull()
  })

  it("of what is not there is no error, and says so", async () => {
    const person = new Person()
    expect(await person.removeToken("youtube")).toEqual({ removed: false })
    expect((await person.status()).alarmAt).toBeNull()
  })

  it("leaves the other account alone", async () => {
    const person = await somebody()
    await person.connects("spotify")
    await person.connects("youtube")
    await person.removeToken("spotify")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ provider: "youtube", outcome: "polled" }] })
  })
})

describe("Grants that go elsewhere", () => {
  it("come out as they went in", async () => {
    const person = await somebody()
    const grant = await simulator.grant(person.id, "spotify")
    await Effect.runPromise(person.setToken({ userId: person.id, provider: "spotify", tokens: toTokens(grant) }))
    expect(await revealed(person)).toEqual([{ provider: "spotify", state: "connected", ...grant }])
  })

  it("come out in their newest form after a refresh, and with the state that they are in", async () => {
    const person = await somebody()
    await person.connects("spotify")
    await person.refreshTokens({ force: true })
    const { newestRefreshToken } = await simulator.tokenState(person.id, "spotify")
    expect(await revealed(person)).toMatchObject([{ refreshToken: newestRefreshToken, state: "connected" }])
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    expect(await revealed(person)).toMatchObject([{ state: "reauthorization_required" }])
  })
})

describe("forget", () => {
  const rowsInD1 = async (person: Person) => {
    const tables = ["users", "user_accounts", "user_subscriptions", "user_feed_items", "durable_object_status"]
    const counts = await Promise.all(
      tables.map(async (table) => {
        const column = table === "users" ? "id" : "user_id"
        const found = await env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?1`)
          .bind(person.id)
          .first<{ n: number }>()
        return [table, found?.n] as const
      }),
    )
    return Object.fromEntries(counts)
  }

  it("erases storage, alarm and what D1 has of the person, and nothing of anybody else", async () => {
    const [person, other] = [await somebody(), await somebody()]
    for (const one of [person, other]) {
      await one.connects("spotify")
      await one.pollNow()
    }
    const others = await rowsInD1(other)
    expect(Object.values(await rowsInD1(person))).not.toContain(0)
    expect(await person.forget()).toEqual({ forgotten: true })
    expect(Object.values(await rowsInD1(person))).toEqual([0, 0, 0, 0, 0])
    expect(await rowsInD1(other)).toEqual(others)
    const left = await runInDurableObject(person.stub, async (_instance, { storage }) => ({
      alarm: await storage.getAlarm(),
      rows: ["person", "accounts", "tokens", "subscriptions", "items", "outbox", "token_events", "polls"].flatMap(
        (table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray(),
      ),
    }))
    expect(left).toEqual({ alarm: null, rows: [] })
    expect(await person.forget()).toEqual({ forgotten: true })
  })

  it("leaves nothing of a person who is in the move, on either side", async () => {
    const person = new PersonInMove()
    await person.importGrant("spotify", await person.hasInDatabase("spotify"))
    await person.isAt("shadow")
    const other = new PersonInMove()
    await env.DB.batch([
      env.DB.prepare(
        `INSERT INTO token_migration_history (user_id, at, from_stage, to_stage, outcome) VALUES (?1, 1, 'off', 'shadow', 'migrated')`,
      ).bind(person.id),
      env.DB.prepare(
        `INSERT INTO feature_flags (name, allow_list, deny_list, updated_at) VALUES ('listed', json_array(?1, ?2), json_array(?2, ?1), 1)`,
      ).bind(person.id, other.id),
    ])
    await person.forget()
    expect(await person.fingerprints()).toEqual([])
    expect(await person.row("spotify")).toBeNull()
    const left = async (table: string) =>
      env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE user_id = ?1`).bind(person.id).first<number>("n")
    expect(await left("token_migration_status")).toBe(0)
    expect(await left("token_migration_history")).toBe(0)
    const lists = await env.DB.prepare("SELECT allow_list, deny_list FROM feature_flags WHERE name = 'listed'").first()
    expect(lists).toEqual({ allow_list: JSON.stringify([other.id]), deny_list: JSON.stringify([other.id]) })
  })

  it("is not undone by a refresh that was under way, and the person can connect again", async () => {
    const person = await somebody()
    await person.connects("spotify")
    await person.pollNow()
    const gate = await simulator.hold({ person: person.id, kind: "token" }, { afterProcessing: true, times: 1 })
    const refresh = person.refreshTokens({ force: true }).catch(() => undefined)
    await simulator.waitForHeld(gate)
    await person.forget()
    await simulator.release(gate)
    await refresh
    expect(await revealed(person)).toEqual([])
    expect((await person.status()).events).toEqual([])
    await person.connects("spotify")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("is not undone by a poll that was under way", async () => {
    const person = await somebody()
    await person.connects("spotify")
    await person.pollNow()
    const gate = await simulator.hold({ person: person.id, kind: "library" }, { times: 1 })
    const poll = person.pollNow().catch(() => undefined)
    await simulator.waitForHeld(gate)
    await person.forget()
    await simulator.release(gate)
    await poll
    expect(await person.sql("SELECT provider FROM polls")).toEqual([])
    expect(Object.values(await rowsInD1(person))).toEqual([0, 0, 0, 0, 0])
    expect(await person.subscriptions()).toEqual([])
    expect((await person.status()).alarmAt).toBeNull()
  })
})
