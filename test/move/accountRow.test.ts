import { Option, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { decodeAccount, decodeHeld, decodeStored, tokensOf } from "../../src/move/account.ts"

const account = {
  userId: "ada",
  provider: "spotify",
  isActive: 1,
  state: "connected",
  holder: "database",
  epoch: 2,
  generation: 7,
  stage: "shadow",
  claimedUntil: null,
  fencedUntil: null,
  authorizedAt: 1_780_000_000_000,
  client: null,
  refusals: 0,
  refreshRetryAt: null,
  updatedAt: null,
}
const grant = {
  accessToken: "access",
  refreshToken: "refresh",
  expiresAt: 1_800_000_000_000,
  scope: "a  b ",
  authorizedAt: null,
  client: null,
}
const row = { ...grant, ...account }

describe("a row of user_accounts", () => {
  it("is an account, whatever it has of a grant", () => {
    expect(Option.getOrThrow(decodeAccount(account))).toMatchObject({ userId: "ada", isActive: true, epoch: 2 })
  })

  it("of a provider that pollen does not know is no account, and can still be looked at", () => {
    const unknown = { ...row, provider: "deezer" }
    expect(Option.isNone(decodeAccount(unknown))).toBe(true)
    expect(Option.isNone(decodeHeld(unknown))).toBe(true)
    expect(Option.getOrThrow(decodeStored(unknown))).toMatchObject({ provider: "deezer", generation: 7 })
  })

  it("keeps tokens out of sight", () => {
    const held = Option.getOrThrow(decodeHeld(row))
    expect(JSON.stringify(held)).not.toMatch(/"access"|"refresh"/)
    expect(held.accessToken === null ? null : Redacted.value(held.accessToken)).toBe("access")
  })

  it("gives its grant as a whole, with the scopes between its spaces", () => {
    const tokens = Option.getOrThrow(tokensOf(row))
    expect(Redacted.value(tokens.refreshToken)).toBe("refresh")
    expect(tokens).toMatchObject({
      expiresAt: 1_800_000_000_000,
      scope: ["a", "b"],
      authorizedAt: 1_780_000_000_000,
    })
    expect(Option.getOrThrow(tokensOf({ ...grant, scope: null })).scope).toEqual([])
  })

  it.each([
    { accessToken: null },
    { accessToken: "" },
    { refreshToken: null },
    { refreshToken: 5 },
    { expiresAt: null },
    { expiresAt: "soon" },
    { expiresAt: -1 },
    { scope: 5 },
  ])("gives no grant where a column is not what it should be: %j", (columns) => {
    expect(Option.isNone(tokensOf({ ...grant, ...columns }))).toBe(true)
  })
})
