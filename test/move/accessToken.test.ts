import { Clock, Effect, Redacted, Result } from "effect"
import { describe, expect, it } from "vitest"
import { forever } from "../forever.ts"
import { Account, simulator, toTokens, withGrants } from "./account.ts"
import { watched } from "./watched.ts"

const ask = (account: Account, options: Parameters<typeof withGrants>[1] = {}) =>
  withGrants((grants) => Effect.result(grants.accessToken(account)), options)

const tokenOf = (result: Awaited<ReturnType<typeof ask>>) =>
  Result.isSuccess(result) ? Redacted.value(result.success.accessToken) : result.failure._tag

describe("an access token from D1", () => {
  it("is as it is when it lives for longer than 5 minutes", async () => {
    const account = await new Account().connected(6)
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await account.refreshes()).toBe(0)
  })

  it.each(["spotify", "youtube"] as const)(
    "is refreshed first when it expires sooner, and written: %s",
    async (provider) => {
      const account = await new Account(provider).connected(4)
      const before = await account.row()
      const token = tokenOf(await ask(account))
      const row = await account.row()
      expect(token).toBe(row?.["access_token"])
      expect(token).not.toBe(before?.["access_token"])
      expect(row).toMatchObject({
        generation: 1,
        refresh_claim: null,
        refresh_claimed_until: null,
        scope: before?.["scope"],
      })
      expect(await account.isNewestInDatabase()).toBe(true)
    },
  )

  it("is refreshed by one request, whoever asks at the same time", async () => {
    const account = await new Account().connected()
    const tokens = (await Promise.all(Array.from({ length: 20 }, () => ask(account)))).map(tokenOf)
    expect(new Set(tokens)).toEqual(new Set([(await account.row())?.["access_token"]]))
    expect(await account.refreshes()).toBe(1)
  })

  it("that the provider rejected is replaced once, and not again for who rejected the one before", async () => {
    const account = await new Account().connected(60)
    const refresh = () => withGrants((grants) => grants.refresh(account, 0))
    const [first, second] = await Promise.all([refresh(), refresh()])
    expect(Redacted.value(first.accessToken)).toBe(Redacted.value(second.accessToken))
    expect(Redacted.value((await refresh()).accessToken)).toBe(Redacted.value(first.accessToken))
    expect(await account.refreshes()).toBe(1)
  })
})

describe("a claim", () => {
  it("keeps others out until what it brought is there", async () => {
    const account = await (await new Account().connected()).has({
      refresh_claim: "another",
      refresh_claimed_until: Date.now() + forever,
    })
    const { database, more } = watched()
    const asked = ask(account, { database })
    await more(8)
    await account.has({
      access_token: "brought",
      expires_at: Date.now() + 3_600_000,
      generation: 1,
      refresh_claim: null,
    })
    expect(tokenOf(await asked)).toBe("brought")
    expect(await account.refreshes()).toBe(0)
  })

  it.each([{ holder: "object", epoch: 2 }, { state: "reauthorization_required" }, { is_active: 0 }])(
    "is not made where nobody may refresh here, whatever was read before: %j",
    async (columns) => {
      const account = await (await new Account().connected()).has(columns)
      const before = await account.row()
      await withGrants((grants) => Effect.flip(grants.refresh(account, 0)))
      expect(await account.refreshes()).toBe(0)
      expect(await account.row()).toEqual(before)
    },
  )

  it("that brought nothing is not repeated by those who waited for it", async () => {
    const account = await (await new Account().connected()).has({
      refresh_claim: "another",
      refresh_claimed_until: Date.now() + forever,
    })
    const { database, more } = watched()
    const asked = ask(account, { database })
    await more(8)
    await account.has({ refresh_claim: null, refresh_claimed_until: null })
    expect(tokenOf(await asked)).toBe("ProviderUnavailable")
    expect(await account.refreshes()).toBe(0)
  })

  it("of a refresher that died ends by itself", async () => {
    const account = await (await new Account().connected()).has({
      refresh_claim: "dead",
      refresh_claimed_until: Date.now() - 1,
    })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await account.refreshes()).toBe(1)
  })

  it("is released when the provider does not answer with sense", async () => {
    const account = await new Account().connected()
    await simulator.setFaults([
      { match: { person: account.userId, kind: "token" }, fault: { type: "status", status: 500 }, times: 1 },
    ])
    expect(tokenOf(await ask(account))).toBe("ProviderUnavailable")
    expect(await account.row()).toMatchObject({ refresh_claim: null, state: "connected" })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
  })

  it("that D1 took half its life to make is let go, and nothing is asked under it", async () => {
    const account = await new Account().connected()
    const live = Clock.Clock.defaultValue()
    let aheadMs = 0
    const nowMillis = () => live.currentTimeMillisUnsafe() + aheadMs
    const clock: Clock.Clock = Object.assign(Object.create(live), {
      currentTimeMillisUnsafe: nowMillis,
      currentTimeMillis: Effect.sync(nowMillis),
    })
    const { database } = watched({
      onStatement: (sql) => {
        if (sql.includes("SET refresh_claim = ?2")) aheadMs += 31_000
      },
    })
    const asked = await withGrants(
      (grants) => Effect.result(Effect.provideService(grants.accessToken(account), Clock.Clock, clock)),
      { database },
    )
    expect(tokenOf(asked)).toBe("ProviderUnavailable")
    expect(await account.row()).toMatchObject({ refresh_claim: null, generation: 0, state: "connected" })
    expect(await account.refreshes()).toBe(0)
  })

  it("that somebody else has made meanwhile is not written over by one that comes late", async () => {
    const account = await new Account().connected()
    const gate = await simulator.hold({ person: account.userId, kind: "token" }, { afterProcessing: true })
    const asked = ask(account)
    await simulator.waitForHeld(gate)
    await account.has({ refresh_claim: "another", refresh_claimed_until: Date.now() + forever })
    const { refresh_token } = (await account.row()) ?? {}
    await simulator.release(gate)
    await account.has({ generation: 5 })
    await asked
    expect(await account.row()).toMatchObject({ refresh_claim: "another", refresh_token })
  })
})

describe("a token set by the person while a refresh is under way", () => {
  it("wins, and whoever waited for the refresh gets it", async () => {
    const account = await new Account().connected()
    const gate = await simulator.hold({ person: account.userId, kind: "token" }, { afterProcessing: true })
    const asked = ask(account)
    await simulator.waitForHeld(gate)
    const given = await account.issued()
    await withGrants((grants) => grants.set(account, toTokens(given), 1))
    await simulator.release(gate)
    expect(tokenOf(await asked)).toBe(given.accessToken)
    expect(await account.row()).toMatchObject({ refresh_token: given.refreshToken, generation: 1, refresh_claim: null })
  })

  it("wins over a refusal of the grant before it", async () => {
    const account = await new Account().connected()
    await simulator.revoke(account.userId, "spotify")
    const gate = await simulator.hold({ person: account.userId, kind: "token" }, { afterProcessing: true })
    const asked = ask(account)
    await simulator.waitForHeld(gate)
    const given = await account.issued()
    await withGrants((grants) => grants.set(account, toTokens(given), 1))
    await simulator.release(gate)
    expect(tokenOf(await asked)).toBe(given.accessToken)
    expect(await account.row()).toMatchObject({ state: "connected", access_token: given.accessToken })
  })
})

describe("a fence", () => {
  it("lets no refresh begin, and who waits learns that an object has the account now", async () => {
    const account = await (await new Account().connected()).has({ fenced_until: Date.now() + forever })
    const { database, more } = watched()
    const asked = ask(account, { database })
    await more(8)
    await account.has({ holder: "object", epoch: 2 })
    expect(await asked).toMatchObject({ failure: { _tag: "HeldByObject", epoch: 2 } })
    expect(await account.refreshes()).toBe(0)
  })

  it("leaves a token in use that works still", async () => {
    const account = await (await new Account().connected(4)).has({ fenced_until: Date.now() + forever })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await account.refreshes()).toBe(0)
  })

  it("that is over keeps nobody out", async () => {
    const account = await (await new Account().connected()).has({ fenced_until: Date.now() - 1 })
    await ask(account)
    expect(await account.refreshes()).toBe(1)
  })
})

describe("a refusal and an outage", () => {
  it("invalid_grant ends the use of the grant, by one attempt", async () => {
    const account = await new Account().connected()
    await simulator.revoke(account.userId, "spotify")
    for (const _ of [1, 2, 3]) expect(tokenOf(await ask(account))).toBe("ReauthorizationRequired")
    expect(await account.row()).toMatchObject({ state: "reauthorization_required", is_active: 1, refresh_claim: null })
    expect(await account.refreshes()).toBe(1)
  })

  it.each([
    { type: "status", status: 500 },
    { type: "html" },
    { type: "truncated" },
    { type: "reset" },
    { type: "rate_limited", retryAfterSeconds: 60 },
  ] as const)("%j leaves the account connected, and the token in use that works still", async (fault) => {
    const account = await new Account().connected(4)
    const [id] = await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault }])
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await account.row()).toMatchObject({ state: "connected", refresh_claim: null })
    await simulator.clearFaults(id === undefined ? [] : [id])
  })

  it("a token endpoint that hangs holds nobody for longer than the limit", async () => {
    const account = await new Account().connected()
    await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault: { type: "hang" }, times: 1 }])
    expect(tokenOf(await ask(account, { timeoutMs: 50 }))).toBe("ProviderUnavailable")
    expect(await account.row()).toMatchObject({ state: "connected", refresh_claim: null })
  })

  it("D1 not taking the new tokens at once does not lose them", async () => {
    const account = await new Account().connected()
    await ask(account, { database: watched({ failingBatches: 2 }).database })
    expect(await account.isNewestInDatabase()).toBe(true)
    expect(await account.row()).toMatchObject({ refresh_claim: null, generation: 1 })
  })
})

describe("who has no token in D1 to give", () => {
  it("is told why", async () => {
    expect(tokenOf(await ask(new Account()))).toBe("AccountNotConnected")
    expect(tokenOf(await ask(await (await new Account().connected()).has({ is_active: 0 })))).toBe(
      "AccountNotConnected",
    )
    expect(tokenOf(await ask(await (await new Account().connected()).has({ refresh_token: null })))).toBe(
      "ReauthorizationRequired",
    )
    expect(tokenOf(await ask(await (await new Account().connected()).has({ expires_at: "soon" })))).toBe(
      "ReauthorizationRequired",
    )
  })

  it("because an object holds the account: neither the token columns nor the provider are asked", async () => {
    const account = await (await new Account().connected()).has({ holder: "object", epoch: 4 })
    const { database, statements } = watched()
    expect(await ask(account, { database })).toMatchObject({ failure: { _tag: "HeldByObject", epoch: 4 } })
    expect(statements.filter((sql) => /access_token|refresh_token/.test(sql))).toEqual([])
    expect(await account.refreshes()).toBe(0)
  })
})
