import { env } from "cloudflare:workers"
import { Effect, Option } from "effect"
import { describe, expect, it } from "vitest"
import { clearStored, takeRemoved } from "../../src/move/person.ts"
import { forever } from "../forever.ts"
import { Account, toTokens, withGrants } from "./account.ts"

describe("a grant that is set in D1", () => {
  it("takes the place of the one before, ends reauthorization_required, and clears the claim", async () => {
    const account = await (await new Account().connected()).has({
      state: "reauthorization_required",
      refresh_claim: "another",
      refresh_claimed_until: Date.now() + forever,
    })
    const given = await account.issued()
    const written = await withGrants((grants) => grants.set(account, toTokens(given), 1))
    expect(Option.getOrThrow(written)).toMatchObject({ generation: 1, state: "connected", isActive: true })
    expect(await account.row()).toMatchObject({
      access_token: given.accessToken,
      refresh_token: given.refreshToken,
      expires_at: given.expiresAt,
      scope: given.scope.join(" "),
      state: "connected",
      refresh_claim: null,
      refresh_claimed_until: null,
    })
  })

  it.each([{ epoch: 2 }, { holder: "object" }])("is not, where the row has moved on: %j", async (columns) => {
    const account = await (await new Account().connected()).has(columns)
    const before = await account.row()
    const given = await account.issued()
    expect(Option.isNone(await withGrants((grants) => grants.set(account, toTokens(given), 1)))).toBe(true)
    expect(await account.row()).toEqual(before)
  })

  it("can take the right back from an object that gave it up, at the epoch at which it did, and only once", async () => {
    const account = await (await new Account().connected()).has({ holder: "object", epoch: 2, generation: 7 })
    const given = await account.issued()
    const take = () => withGrants((grants) => grants.take(account, toTokens(given), { from: 2, to: 3 }))
    expect(Option.getOrThrow(await take())).toMatchObject({ holder: "database", epoch: 3, generation: 8 })
    expect(await account.row()).toMatchObject({ access_token: given.accessToken, holder: "database", epoch: 3 })
    expect(Option.isNone(await take())).toBe(true)
  })

  it.each([
    { holder: "object", epoch: 4 },
    { holder: "database", epoch: 2 },
  ])("is not taken back where the row is another than was read: %j", async (columns) => {
    const account = await (await new Account().connected()).has(columns)
    const before = await account.row()
    const given = toTokens(await account.issued())
    expect(Option.isNone(await withGrants((grants) => grants.take(account, given, { from: 2, to: 3 })))).toBe(true)
    expect(await account.row()).toEqual(before)
  })
})

describe("a grant that is removed from D1", () => {
  const follow = (account: Account) =>
    env.DB.prepare(
      "INSERT INTO user_subscriptions (user_id, provider, external_id, followed_at) VALUES (?1, ?2, 'x', 0)",
    )
      .bind(account.userId, account.provider)
      .run()
  const follows = (account: Account) =>
    env.DB.prepare("SELECT count(*) AS rows FROM user_subscriptions WHERE user_id = ?1")
      .bind(account.userId)
      .first<number>("rows")

  it("is gone, with what was followed, and a refresh under way brings nothing back", async () => {
    const account = await (await new Account().connected()).has({ refresh_claim: "another" })
    await follow(account)
    expect(await withGrants((grants) => grants.remove(account, 1))).toBe(true)
    expect(await account.row()).toMatchObject({
      access_token: null,
      refresh_token: null,
      state: "disconnected",
      is_active: 0,
      refresh_claim: null,
      generation: 1,
    })
    expect(await follows(account)).toBe(0)
    expect(await withGrants((grants) => grants.remove(account, 1))).toBe(false)
  })

  it.each([{ holder: "object" }, { epoch: 2 }])("is left alone where the row has moved on: %j", async (columns) => {
    const account = await (await new Account().connected()).has(columns)
    await follow(account)
    const before = await account.row()
    expect(await withGrants((grants) => grants.remove(account, 1))).toBe(false)
    expect(await account.row()).toEqual(before)
    expect(await follows(account)).toBe(1)
  })
})

describe("a grant that an object has given up", () => {
  const remove = (account: Account) => Effect.runPromise(takeRemoved(env.DB, account, { from: 2, to: 3 }))

  it("is removed with the right to it", async () => {
    const account = await (await new Account().connected()).has({ holder: "object", epoch: 2 })
    expect(Option.getOrThrow(await remove(account))).toMatchObject({ holder: "database", epoch: 3 })
    expect(await account.row()).toMatchObject({ access_token: null, refresh_token: null, state: "disconnected" })
  })

  it.each([
    { holder: "object", epoch: 4 },
    { holder: "database", epoch: 2 },
  ])("is not removed where the row is another than was read: %j", async (columns) => {
    const account = await (await new Account().connected()).has(columns)
    const before = await account.row()
    expect(Option.isNone(await remove(account))).toBe(true)
    expect(await account.row()).toEqual(before)
  })
})

describe("what D1 has kept of a grant that an object holds", () => {
  it("is cleared, and never what D1 holds itself", async () => {
    const account = await (await new Account().connected()).has({ holder: "object" })
    await Effect.runPromise(clearStored(env.DB, account))
    expect(await account.row()).toMatchObject({ access_token: null, refresh_token: null, expires_at: null })
    const other = await new Account().connected()
    const before = await other.row()
    await Effect.runPromise(clearStored(env.DB, other))
    expect(await other.row()).toEqual(before)
  })
})

describe("a grant that the provider refused", () => {
  const refuse = (account: Account) => withGrants((grants) => grants.requireReauthorization(account, 4))

  it("is not used until another is set", async () => {
    const account = await (await new Account().connected()).has({ generation: 4 })
    await refuse(account)
    expect(await account.row()).toMatchObject({ state: "reauthorization_required", generation: 4 })
  })

  it.each([{ generation: 5 }, { holder: "object" }, { state: "disconnected" }])(
    "says nothing of a row that has moved on: %j",
    async (columns) => {
      const account = await (await new Account().connected()).has({ generation: 4, ...columns })
      const before = await account.row()
      await refuse(account)
      expect(await account.row()).toEqual(before)
    },
  )
})

describe("what D1 has of a grant", () => {
  it("is told as it is, whoever holds it, and not at all where something is missing", async () => {
    const account = await (await new Account().connected()).has({ holder: "object" })
    const stored = () => withGrants((grants) => grants.stored(account))
    expect(Option.getOrThrow(await stored()).expiresAt).toBe((await account.row())?.["expires_at"])
    await account.has({ refresh_token: null })
    expect(Option.isNone(await stored())).toBe(true)
  })
})
