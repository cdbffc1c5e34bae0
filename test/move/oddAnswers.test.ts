import { Effect, Redacted, Result } from "effect"
import { describe, expect, it } from "vitest"
import type { JsonPatch } from "../../local/simulator/model/faults.ts"
import type { Fault } from "../../local/simulator/model.ts"
import { Account, simulator, withGrants } from "./account.ts"

const ask = (account: Account) => withGrants((grants) => Effect.result(grants.accessToken(account)))
const tokenOf = (result: Awaited<ReturnType<typeof ask>>) =>
  Result.isSuccess(result) ? Redacted.value(result.success.accessToken) : result.failure._tag

const answering = async (fault: Fault) => {
  const account = await new Account().connected()
  await simulator.setFaults([{ match: { person: account.userId, kind: "token" }, fault, times: 1 }])
  return account
}

describe("an answer of the token endpoint to D1's side", () => {
  it.each<[string, JsonPatch]>([
    ["an expires_in of -1", { expires_in: -1 }],
    ["an expires_in of null", [{ path: "/expires_in", value: null }]],
    ["a scope of null", [{ path: "/scope", value: null }]],
    ["no token type", { token_type: null }],
    ["an ID token that is none", { id_token: "a.b.c" }],
  ])("with %s is used, and its refresh token stored", async (_what, patch) => {
    const account = await answering({ type: "patch", patch })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await account.isNewestInDatabase()).toBe(true)
  })

  it("without a usable access token still brings its refresh token, with which the account retries", async () => {
    const account = await answering({ type: "patch", patch: { access_token: 17 } })
    const before = await account.row()
    expect(tokenOf(await ask(account))).toBe("ProviderUnavailable")
    expect(await account.isNewestInDatabase()).toBe(true)
    expect(await account.row()).toMatchObject({
      access_token: before?.["access_token"],
      expires_at: before?.["expires_at"],
      state: "connected",
      refresh_claim: null,
    })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
    expect(await simulator.tokenState(account.userId, "spotify")).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it("to a grant with openid, email and profile is used, whoever issued its ID token", async () => {
    const scope = ["openid", "email", "profile", "https://www.googleapis.com/auth/youtube.readonly"]
    const account = await new Account("youtube").connected(-1, { scope })
    expect(tokenOf(await ask(account))).toBe((await account.row())?.["access_token"])
  })
})
