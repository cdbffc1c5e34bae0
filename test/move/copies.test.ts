import { env, exports } from "cloudflare:workers"
import { Effect, Option, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import type { Wire } from "../../src/rpc/contract.ts"
import type { ImportTokens } from "../../src/rpc/move.ts"
import { Account, toTokens, withGrants } from "./account.ts"

/** What objects were given, and how they answer. */
const objects = (fails = false) => {
  const copies: Array<Wire<typeof ImportTokens>> = []
  const importTokens = (payload: Wire<typeof ImportTokens>) => {
    copies.push(payload)
    return fails ? Promise.reject(new Error("broken")) : exports.MigrationEntrypoint.importTokens(payload)
  }
  return { copies, importTokens }
}

const counted = async (outcome: string) =>
  (await env.DB.prepare("SELECT count FROM token_operations WHERE operation = 'copy' AND outcome = ?1")
    .bind(outcome)
    .first<number>("count")) ?? 0

describe("the copy that an object keeps", () => {
  it.each(["dual_write", "shadow"])("is written after a refresh at %s, and counted", async (stage) => {
    const account = await (await (await new Account().connected()).has({ epoch: 3 })).isAt(stage)
    const { copies, importTokens } = objects()
    const before = await counted("ok")
    await withGrants((grants) => grants.accessToken(account), { importTokens })
    const row = await account.row()
    expect(copies).toEqual([
      {
        userId: account.userId,
        accounts: [
          {
            provider: "spotify",
            epoch: 3,
            generation: row?.["generation"],
            tokens: {
              accessToken: row?.["access_token"],
              refreshToken: row?.["refresh_token"],
              expiresAt: row?.["expires_at"],
              scope: String(row?.["scope"]).split(" "),
              authorizedAt: null,
              client: null,
            },
          },
        ],
      },
    ])
    expect(await counted("ok")).toBe(before + 1)
  })

  it("is written when a token is set", async () => {
    const account = await (await new Account().connected()).isAt("dual_write")
    const { copies, importTokens } = objects()
    const given = await account.issued()
    await withGrants((grants) => grants.set(account, toTokens(given), 1), { importTokens })
    expect(copies.map(({ accounts }) => accounts[0]?.tokens?.accessToken)).toEqual([given.accessToken])
  })

  it("is not there at off, and neither is a call for it", async () => {
    const account = await new Account().connected()
    const { copies, importTokens } = objects()
    await withGrants((grants) => grants.accessToken(account), { importTokens })
    expect(copies).toEqual([])
  })

  it("that fails is counted, and fails neither the refresh nor the setting of a token", async () => {
    const account = await (await new Account().connected()).isAt("shadow")
    const { copies, importTokens } = objects(true)
    const before = await counted("ObjectUnavailable")
    const { accessToken } = await withGrants((grants) => grants.accessToken(account), { importTokens })
    expect((await account.row())?.["access_token"]).toBe(Redacted.value(accessToken))
    const given = toTokens(await account.issued())
    const set = await withGrants((grants) => Effect.map(grants.set(account, given, 1), Option.isSome), { importTokens })
    expect(set).toBe(true)
    expect(copies).toHaveLength(2)
    expect(await counted("ObjectUnavailable")).toBe(before + 2)
  })
})
