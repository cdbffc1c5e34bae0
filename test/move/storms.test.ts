import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { Account, simulator, withGrants } from "./account.ts"

describe("a refresh on D1's side", () => {
  it("in place of a rejected token asks a dead token endpoint once, however many requests were rejected", async () => {
    const account = await new Account().connected(60)
    await simulator.setFaults([
      { match: { person: account.userId, kind: "token" }, fault: { type: "status", status: 503 } },
    ])
    const reasons = await withGrants((grants) => Effect.replicateEffect(Effect.flip(grants.refresh(account, 0)), 5))
    expect(reasons.map(({ _tag }) => _tag)).toEqual(Array.from({ length: 5 }, () => "ProviderUnavailable"))
    expect(await account.refreshes()).toBe(1)
  })

  it("is not made for a token that lives for 3 minutes and was issued just now", async () => {
    const account = await (await new Account().connected(3)).has({ updated_at: Date.now() })
    await withGrants((grants) => grants.accessToken(account))
    expect(await account.refreshes()).toBe(0)
    await account.has({ expires_at: Date.now() + 10_000, updated_at: Date.now() - 170_000 })
    await withGrants((grants) => grants.accessToken(account))
    expect(await account.refreshes()).toBe(1)
  })
})
