import { createHash } from "node:crypto"
import { describe, expect, it } from "vitest"
import { countDoubleRefreshes, countReauthorizations, lostGrants, newestOf } from "../../local/rehearsal/grants.ts"
import type { Holding } from "../../local/rehearsal/workers/operations.ts"
import type { LedgerEntry } from "../../local/simulator/model.ts"

const digest = (token: string) => createHash("sha256").update(token).digest("hex")

const holding = (userId: string, token: string, state = "connected"): Holding => ({
  userId,
  provider: "spotify",
  state,
  refreshTokenDigest: digest(token),
})
const expected = (userId: string, ...validRefreshTokens: ReadonlyArray<string>) =>
  ({ userId, provider: "spotify", refreshTokenDigest: newestOf({ validRefreshTokens }) }) as const

const request: LedgerEntry = {
  ...{ seq: 1, at: 0, provider: "spotify", person: "ada", kind: "token", method: "POST", path: "/token", query: {} },
  ...{ status: 200, conditional: false, units: 0, refreshTokenReused: false },
}

describe("the verdict on grants", () => {
  it("finds nothing lost where the newest that works is held, whatever older consents left behind", () => {
    expect(lostGrants([expected("ada", "of an older consent", "newest")], [holding("ada", "newest")])).toEqual([])
  })

  it("counts as lost what is not held, an older grant, one of another person, and one that no longer works", () => {
    const ada = expected("ada", "older", "newest")
    expect(lostGrants([ada], [])).toEqual([ada])
    expect(lostGrants([ada], [holding("ada", "older")])).toEqual([ada])
    expect(lostGrants([ada], [holding("ben", "newest")])).toEqual([ada])
    const dead = expected("ada")
    expect(lostGrants([dead], [holding("ada", "newest")])).toEqual([dead])
  })

  it("counts each refresh token that came after it had been exchanged, whether it was accepted or not", () => {
    const reused = { ...request, refreshTokenReused: true }
    expect(countDoubleRefreshes([request, reused, { ...reused, status: 400 }])).toBe(2)
  })

  it("counts an account to be reauthorized once, whether the object says so or the provider refused, and no injected fault", () => {
    const refused = { ...request, status: 400 }
    expect(countReauthorizations([holding("ada", "any")], [request, { ...refused, fault: "status" }])).toBe(0)
    expect(countReauthorizations([holding("ada", "any")], [refused, refused])).toBe(1)
    expect(countReauthorizations([holding("ada", "any", "reauthorization_required")], [refused])).toBe(1)
    expect(countReauthorizations([holding("ben", "any", "reauthorization_required")], [refused])).toBe(2)
  })
})
