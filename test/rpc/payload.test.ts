import { listDurableObjectIds } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Effect, Redacted } from "effect"
import { describe, expect, it } from "vitest"
import { InvalidRequest } from "../../src/domain/error.ts"
import { newFingerprintKey } from "../../src/domain/fingerprint.ts"
import { UserId } from "../../src/domain/user.ts"
import { call } from "../../src/rpc/call.ts"
import * as methods from "../../src/rpc/methods.ts"
import { FingerprintTokens } from "../../src/rpc/move.ts"
import { Person } from "../object/person.ts"

/** Stands where a value is wrong; it must not come back. */
const secret = "s3cr3t-that-must-not-come-back"
const good = { accessToken: "access", refreshToken: "refresh", expiresAt: 1, scope: [] }
const whoever = { userId: UserId.make("payload-somebody"), provider: "spotify" } as const

/** Sends a payload as it is, whatever the contract says of it, and returns the error. */
const refused = (wire: unknown) =>
  Effect.runPromise(
    Effect.flip(
      call(methods.SetToken, () => exports.GatewayEntrypoint.setToken(wire as never))({
        ...whoever,
        tokens: { ...good, accessToken: Redacted.make("a"), refreshToken: Redacted.make("r") },
      }),
    ),
  )

const objects = async () => (await listDurableObjectIds(env.USERS)).map((id) => id.toString()).sort()

describe("A bad payload is refused at the door", () => {
  it.each<[string, unknown, ReadonlyArray<string>]>([
    ["not an object", secret, [""]],
    ["null", null, [""]],
    ["a missing field", { ...whoever }, ["tokens"]],
    ["a missing user", { provider: "spotify", tokens: good }, ["userId"]],
    ["a user id of the wrong type", { ...whoever, userId: 7, tokens: good }, ["userId"]],
    ["an empty user id", { ...whoever, userId: "", tokens: good }, ["userId"]],
    ["a user id of 257 characters", { ...whoever, userId: secret.padEnd(257, "x"), tokens: good }, ["userId"]],
    ["a user id of 1 MB", { ...whoever, userId: secret.padEnd(1_000_000, "x"), tokens: good }, ["userId"]],
    ["a provider that does not exist", { ...whoever, provider: secret, tokens: good }, ["provider"]],
    [
      "a nested field of the wrong type",
      { ...whoever, tokens: { ...good, accessToken: { secret } } },
      ["tokens.accessToken"],
    ],
    [
      "a token of 1 MB",
      { ...whoever, tokens: { ...good, refreshToken: secret.padEnd(1_000_000, "x") } },
      ["tokens.refreshToken"],
    ],
    ["an entry of a list of the wrong type", { ...whoever, tokens: { ...good, scope: ["a", 1] } }, ["tokens.scope.1"]],
    [
      "a date in place of epoch milliseconds",
      { ...whoever, tokens: { ...good, expiresAt: secret } },
      ["tokens.expiresAt"],
    ],
    ["a moment that is no whole number", { ...whoever, tokens: { ...good, expiresAt: 1.5 } }, ["tokens.expiresAt"]],
    [
      "several wrong fields, all named",
      { provider: secret, tokens: { ...good, accessToken: 1, refreshToken: "" } },
      ["userId", "provider", "tokens.accessToken", "tokens.refreshToken"],
    ],
  ])("%s: InvalidRequest names the field, repeats no value and makes no object", async (_what, wire, paths) => {
    const before = await objects()
    const error = await refused(wire)
    expect(error).toBeInstanceOf(InvalidRequest)
    if (!(error instanceof InvalidRequest)) return
    expect(error.method).toBe("setToken")
    expect(error.issues.map(({ path }) => path)).toEqual(paths)
    expect(JSON.stringify(error) + error.message + error.stack).not.toContain(secret)
    expect(await objects()).toEqual(before)
  })

  it("a payload for another person is refused by the object and changes nothing there", async () => {
    const person = new Person()
    await person.connects("spotify")
    const before = await person.status()
    const wire = { userId: UserId.make("somebody-else"), provider: "spotify", tokens: good } as const
    const set = call(methods.SetToken, () => person.stub.setToken(wire))
    const error = await Effect.runPromise(
      Effect.flip(
        set({ ...wire, tokens: { ...good, accessToken: Redacted.make("a"), refreshToken: Redacted.make("r") } }),
      ),
    )
    expect(error).toMatchObject({ _tag: "InvalidRequest", issues: [{ path: "userId" }] })
    expect(JSON.stringify(error)).not.toContain(person.id)
    expect(await person.status()).toEqual(before)
  })

  it("the caller's own side refuses it too, before anything is sent", async () => {
    let sent = 0
    const list = call(methods.ListSubscriptions, (wire) => {
      sent += 1
      return exports.GatewayEntrypoint.listSubscriptions(wire)
    })
    const error = await Effect.runPromise(Effect.flip(list({ userId: whoever.userId, limit: 501 })))
    expect(error).toMatchObject({ _tag: "InvalidRequest", issues: [{ path: "limit" }] })
    expect(sent).toBe(0)
  })
})

it.each(["", "{gSg", "c2hvcnQ=", "A".repeat(44)])(
  "a fingerprint key that is not 32 bytes is refused: %s",
  async (key) => {
    const fingerprint = call(FingerprintTokens, () =>
      exports.MigrationEntrypoint.fingerprintTokens({ userId: whoever.userId, key, probe: false }),
    )
    const asked = fingerprint({ userId: whoever.userId, key: newFingerprintKey(), probe: false })
    const error = await Effect.runPromise(Effect.flip(asked))
    expect(error).toMatchObject({ _tag: "InvalidRequest", issues: [{ path: "key" }] })
  },
)
