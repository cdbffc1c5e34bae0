import { createHmac } from "node:crypto"
import { Effect, Exit, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { fingerprint, newFingerprintKey } from "../../src/domain/fingerprint.ts"

const grant = { accessToken: Redacted.make("access"), refreshToken: Redacted.make("refresh"), expiresAt: 1_800_000_000 }

describe("a fingerprint", () => {
  it("is HMAC-SHA-256 in hexadecimal digits, as every version of pollen computes it", async () => {
    const key = newFingerprintKey()
    expect(Buffer.from(key, "base64")).toHaveLength(32)
    const expected = createHmac("sha256", Buffer.from(key, "base64"))
      .update('["access","refresh",1800000000]')
      .digest("hex")
    expect(await Effect.runPromise(fingerprint(key, grant))).toBe(expected)
  })

  it("is not made under a key that is not base64", async () => {
    expect(Exit.isFailure(await Effect.runPromiseExit(fingerprint("no base64!", grant)))).toBe(true)
  })
})
