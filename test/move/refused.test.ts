import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { Account, simulator, toTokens, withGrants } from "./account.ts"

const hour = 3_600_000
const day = 24 * hour

const ask = (account: Account) => withGrants((grants) => grants.accessTokens([account]))
const outcomeOf = async (account: Account) => {
  const [result] = await ask(account)
  if (result === undefined) throw new Error("no answer")
  return Result.isSuccess(result) ? "ok" : result.failure._tag
}

/** An account whose good grant the provider answers `invalid_grant` to. */
const refusedOnce = async (authorizedAt: number | null = null) => {
  const account = await (await new Account().connected()).has({ authorized_at: authorizedAt })
  const fault = { type: "invalid_grant" } as const
  const [id = ""] = await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault }])
  expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
  return { account, mend: () => simulator.clearFaults([id]) }
}

describe("a grant that D1 holds and the provider has refused", () => {
  it("is tried again after an hour or more, and not before; it recovers when the refusal was false", async () => {
    const { account, mend } = await refusedOnce()
    const { refresh_retry_at: retryAt, refusals, state } = (await account.row()) ?? {}
    expect({ refusals, state }).toEqual({ refusals: 1, state: "reauthorization_required" })
    expect(Number(retryAt) - Date.now()).toBeGreaterThan(0.9 * hour)
    expect(Number(retryAt) - Date.now()).toBeLessThanOrEqual(1.5 * hour)
    await mend()
    expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
    expect(await account.refreshes()).toBe(1)

    await account.has({ refresh_retry_at: Date.now() - 1 })
    expect(await outcomeOf(account)).toBe("ok")
    expect(await account.row()).toMatchObject({ state: "connected", refusals: 0, refresh_retry_at: null })
  })

  it("is given up after the second try, a day later", async () => {
    const { account } = await refusedOnce()
    await account.has({ refresh_retry_at: Date.now() - 1 })
    expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
    const second = await account.row()
    expect(second).toMatchObject({ refusals: 2 })
    expect(Number(second?.["refresh_retry_at"]) - Date.now()).toBeGreaterThan(22 * hour)
    await account.has({ refresh_retry_at: Date.now() - 1 })
    expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
    expect(await account.row()).toMatchObject({ refusals: 3, refresh_retry_at: null })
    expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
    expect(await account.refreshes()).toBe(3)
  })

  it("is not tried again where its age explains the refusal", async () => {
    const { account } = await refusedOnce(Date.now() - 182 * day)
    expect(await account.row()).toMatchObject({ refusals: 1, refresh_retry_at: null })
  })

  it("stays refused through an outage of the token endpoint, and is tried again after it", async () => {
    const { account, mend } = await refusedOnce()
    await mend()
    await account.has({ refresh_retry_at: Date.now() - 1 })
    const fault = { type: "status", status: 503 } as const
    const [id = ""] = await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault }])
    expect(await outcomeOf(account)).toBe("ReauthorizationRequired")
    expect(await account.row()).toMatchObject({ state: "reauthorization_required", refusals: 1, refresh_claim: null })
    await simulator.clearFaults([id])
    expect(await outcomeOf(account)).toBe("ok")
  })

  it("begins anew with a grant that the person sets", async () => {
    const { account, mend } = await refusedOnce()
    await mend()
    const given = toTokens(await account.issued())
    await withGrants((grants) => grants.set(account, given, 1))
    expect(await account.row()).toMatchObject({ state: "connected", refusals: 0, refresh_retry_at: null })
  })
})

describe("a Retry-After of the token endpoint, to D1's side", () => {
  const limited = async (minutes: number, retryAfterSeconds: number) => {
    const account = await new Account().connected(minutes)
    const fault = { type: "rate_limited", retryAfterSeconds } as const
    const [id = ""] = await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault }])
    const first = await outcomeOf(account)
    await simulator.clearFaults([id])
    return { account, first }
  }

  it("is kept in D1: no worker asks before it is over, and one does after", async () => {
    const { account, first } = await limited(-1, 600)
    expect([first, await outcomeOf(account), await outcomeOf(account)]).toEqual(Array(3).fill("RateLimited"))
    expect(await account.refreshes()).toBe(1)
    await account.has({ refresh_retry_at: Date.now() - 1 })
    expect(await outcomeOf(account)).toBe("ok")
    expect(await account.row()).toMatchObject({ refresh_retry_at: null })
  })

  it("keeps no token from being used that still works", async () => {
    const { account, first } = await limited(4, 600)
    expect([first, await outcomeOf(account)]).toEqual(["ok", "ok"])
    expect(await account.refreshes()).toBe(1)
  })

  it("is believed for a day at most", async () => {
    const { account } = await limited(-1, 999_999_999)
    const pause = Number((await account.row())?.["refresh_retry_at"]) - Date.now()
    expect(pause).toBeGreaterThan(0.9 * day)
    expect(pause).toBeLessThanOrEqual(1.1 * day)
  })
})
