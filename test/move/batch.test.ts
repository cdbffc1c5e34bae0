import { env } from "cloudflare:workers"
import { Effect, Redacted, Result } from "effect"
import { describe, expect, it } from "vitest"
import { Account, simulator, toTokens, withGrants } from "./account.ts"
import { widePlans } from "./plans.ts"
import { watched } from "./watched.ts"

const many = (count: number, minutes: number) =>
  Promise.all(Array.from({ length: count }, () => new Account().connected(minutes)))

describe("access tokens of many accounts", () => {
  it("come in the order asked for, and somebody's failure is theirs alone", async () => {
    const fresh = await new Account().connected(60)
    const revoked = await new Account().connected()
    await simulator.revoke(revoked.userId, "spotify")
    const moved = await (await new Account().connected()).has({ holder: "object", epoch: 2 })
    const poisoned = await (await new Account().connected()).has({ refresh_token: "x".repeat(5_000) })
    const unknown = new Account()
    const stale = await new Account("youtube").connected()
    const asked = [unknown, fresh, revoked, moved, poisoned, stale]
    const results = await withGrants((grants) => grants.accessTokens(asked))
    expect(results.map((result) => (Result.isSuccess(result) ? "token" : result.failure._tag))).toEqual([
      "AccountNotConnected",
      "token",
      "ReauthorizationRequired",
      "HeldByObject",
      "ReauthorizationRequired",
      "token",
    ])
    const newest = (await stale.row())?.["access_token"]
    expect(
      results.flatMap((result) => (Result.isSuccess(result) ? [Redacted.value(result.success.accessToken)] : [])),
    ).toEqual([(await fresh.row())?.["access_token"], newest])
  })

  it("are read by one statement, however many they are", async () => {
    for (const count of [1, 40]) {
      const accounts = await many(count, 60)
      const { database, statements } = watched()
      await withGrants((grants) => grants.accessTokens(accounts), { database })
      expect(statements).toHaveLength(1)
    }
  })

  it("are claimed and written back by tens: one statement and one batch each", async () => {
    const accounts = await many(40, -1)
    const { database, statements } = watched()
    const results = await withGrants((grants) => grants.accessTokens(accounts), { database })
    expect(results.every(Result.isSuccess)).toBe(true)
    expect(statements).toHaveLength(1 + 4 * (1 + 3))
    for (const account of accounts) {
      expect(await account.refreshes()).toBe(1)
      expect(await account.isNewestInDatabase()).toBe(true)
    }
  })

  it("are found by their keys, and not among everybody", async () => {
    const accounts = await many(3, -1)
    const { database, statements } = watched()
    const [first = new Account()] = accounts
    const given = toTokens(await first.issued())
    await withGrants(
      (grants) =>
        Effect.gen(function* () {
          yield* grants.accessTokens([...accounts, new Account()])
          yield* grants.set(first, given, 1)
          yield* grants.take(first, given, { from: 1, to: 2 })
          yield* grants.requireReauthorization(first, 0)
          yield* grants.stored(first)
          yield* grants.remove(first, 1)
        }),
      { database },
    )
    expect(new Set(statements).size).toBe(12)
    expect(await widePlans(statements)).toEqual([])
  })

  it("asked for by two at once are refreshed once each", async () => {
    const accounts = await many(25, -1)
    const ask = () => withGrants((grants) => grants.accessTokens(accounts))
    const both = await Promise.all([ask(), ask()])
    expect(both.flat().every(Result.isSuccess)).toBe(true)
    for (const account of accounts) expect((await simulator.tokenState(account.userId, "spotify")).reuses).toBe(0)
    expect((await Promise.all(accounts.map((account) => account.refreshes()))).every((count) => count === 1)).toBe(true)
  })

  it("leave a count of how the refreshes went, by outcome", async () => {
    const countOf = async (outcome: string) =>
      (await env.DB.prepare("SELECT count FROM token_operations WHERE operation = 'refresh' AND outcome = ?1")
        .bind(outcome)
        .first<number>("count")) ?? 0
    const before = { ok: await countOf("ok"), refused: await countOf("ReauthorizationRequired") }
    const accounts = await many(12, -1)
    for (const { userId } of accounts.slice(0, 2)) await simulator.revoke(userId, "spotify")
    await withGrants((grants) => grants.accessTokens(accounts))
    expect(await countOf("ok")).toBe(before.ok + 10)
    expect(await countOf("ReauthorizationRequired")).toBe(before.refused + 2)
  })
})
