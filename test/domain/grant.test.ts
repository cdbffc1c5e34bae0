import { Effect, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { newFingerprintKey } from "../../src/domain/fingerprint.ts"
import { compareGrants, type ShownGrant, showGrant } from "../../src/domain/grant.ts"
import type { TokenSet } from "../../src/domain/token.ts"

const tokens: TokenSet = {
  accessToken: Redacted.make("access"),
  refreshToken: Redacted.make("refresh"),
  expiresAt: 1_800_000_000_000,
  scope: ["user-library-read"],
}
const account = { holder: "database", epoch: 3, state: "connected" } as const
const show = (key: string, given: TokenSet | null) => Effect.runPromise(showGrant(key, { ...account, tokens: given }))
const differences = (stored: ShownGrant, shown: ShownGrant | undefined) => [...compareGrants(stored, shown)]

describe("two sides' grants", () => {
  it("are the same when holder, epoch, state and tokens are", async () => {
    const key = newFingerprintKey()
    expect(differences(await show(key, tokens), await show(key, { ...tokens }))).toEqual([])
  })

  it.each([
    ["accessToken", Redacted.make("other")],
    ["refreshToken", Redacted.make("other")],
    ["expiresAt", 1_800_000_000_001],
  ])("differ in their tokens by another %s", async (field, value) => {
    const key = newFingerprintKey()
    expect(differences(await show(key, tokens), await show(key, { ...tokens, [field]: value }))).toEqual(["tokens"])
  })

  it("differ by whatever else one of them says otherwise", async () => {
    const stored = await show(newFingerprintKey(), tokens)
    expect(differences(stored, { ...stored, holder: "object" })).toEqual(["holder"])
    expect(differences(stored, { ...stored, epoch: 4 })).toEqual(["epoch"])
    expect(differences(stored, { ...stored, state: "reauthorization_required" })).toEqual(["state"])
    expect(differences(stored, undefined)).toEqual(["missing"])
  })

  it("are not the same when the object opens none, whatever D1 has", async () => {
    const key = newFingerprintKey()
    const unreadable = await show(key, null)
    expect(differences(await show(key, tokens), unreadable)).toEqual(["unreadable", "tokens"])
    expect(differences(unreadable, unreadable)).toEqual(["unreadable"])
    expect(differences(unreadable, await show(key, tokens))).toEqual(["tokens"])
  })

  it("show nothing of their tokens, and never the same under another key", async () => {
    const shown = await show(newFingerprintKey(), tokens)
    expect(JSON.stringify(shown)).not.toMatch(/access|refresh/)
    expect(differences(shown, await show(newFingerprintKey(), tokens))).toEqual(["tokens"])
  })
})
