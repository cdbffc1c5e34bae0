import { runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { Effect, Exit, Redacted } from "effect"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { Misconfigured, SealBroken } from "../../../src/domain/error.ts"
import { newFingerprintKey } from "../../../src/domain/fingerprint.ts"
import { type Provider, providers } from "../../../src/domain/provider.ts"
import { type Grant, open, type Sealed, seal } from "../../../src/object/grants/vault.ts"
import { parseKeyRing } from "../../../src/object/keyring.ts"
import { UserSubscriptionManager } from "../../../src/object/UserSubscriptionManager.ts"
import { call } from "../../../src/rpc/call.ts"
import * as methods from "../../../src/rpc/methods.ts"
import { captureLogs } from "../logs.ts"
import { Person, simulator } from "../person.ts"
import { PersonInMove } from "../personInMove.ts"

const newKey = () => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")
const ringOf = (...entries: ReadonlyArray<string>) => Effect.runPromise(parseKeyRing(Redacted.make(entries.join(","))))
const reveal = ({ accessToken, refreshToken, previousRefreshToken, scope }: Grant) => ({
  accessToken: Redacted.value(accessToken),
  refreshToken: Redacted.value(refreshToken),
  previousRefreshToken: previousRefreshToken && Redacted.value(previousRefreshToken),
  scope,
})
const grantOf = (accessToken: string, refreshToken: string, previous: string | null = null): Grant => ({
  accessToken: Redacted.make(accessToken),
  refreshToken: Redacted.make(refreshToken),
  previousRefreshToken: previous === null ? null : Redacted.make(previous),
  scope: ["a"],
})

describe("A sealed grant", () => {
  const text = fc.string({ minLength: 1, maxLength: 300, unit: "binary" }).filter((one) => one.isWellFormed())
  const owner = fc.record({
    userId: fc.string({ minLength: 1, maxLength: 256 }),
    provider: fc.constantFrom(...providers),
  })

  it("opens to what it was for its own user and provider, and for nobody else, nor under another key", async () => {
    const keyRing = await ringOf(`k1:${newKey()}`)
    const other = await ringOf(`k1:${newKey()}`)
    await fc.assert(
      fc.asyncProperty(owner, owner, text, text, fc.option(text), async (mine, theirs, access, refresh, previous) => {
        const grant = grantOf(access, refresh, previous)
        const sealed = await Effect.runPromise(seal(keyRing, mine.userId, mine.provider, grant))
        const openAs = (ring: typeof keyRing, { userId, provider }: typeof mine) =>
          Effect.runPromiseExit(open(ring, userId, provider, sealed))
        const opened = await openAs(keyRing, mine)
        expect(Exit.isSuccess(opened) && reveal(opened.value)).toEqual(reveal(grant))
        const isMine = mine.userId === theirs.userId && mine.provider === theirs.provider
        expect(Exit.isSuccess(await openAs(keyRing, theirs))).toBe(isMine)
        expect(Exit.isSuccess(await openAs(other, mine))).toBe(false)
      }),
      { numRuns: 200 },
    )
  })

  it("does not open once any one bit of it has changed", async () => {
    const keyRing = await ringOf(`k1:${newKey()}`)
    const { keyId, sealed } = await Effect.runPromise(seal(keyRing, "me", "spotify", grantOf("access", "refresh")))
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.nat(7), async (at, bit) => {
        const changed = Uint8Array.from(sealed, (byte, index) => (index === at ? byte ^ (1 << bit) : byte))
        const error = await Effect.runPromise(Effect.flip(open(keyRing, "me", "spotify", { keyId, sealed: changed })))
        expect(error).toMatchObject({ _tag: "SealBroken", reason: "does_not_open" })
      }),
    )
  })

  it("never looks the same twice, so that equal tokens cannot be recognised", async () => {
    const keyRing = await ringOf(`k1:${newKey()}`)
    const once = () => Effect.runPromise(seal(keyRing, "me", "spotify", grantOf("access", "refresh")))
    expect((await once()).sealed).not.toEqual((await once()).sealed)
  })
})

/** Reads or replaces the sealed row of a person. */
const row = (person: Person, provider: Provider, replacement?: Sealed): Promise<Sealed> =>
  runInDurableObject(person.stub, (_instance, { storage }) => {
    if (replacement !== undefined) {
      const { keyId, sealed } = replacement
      storage.sql.exec("UPDATE tokens SET key_id = ?1, sealed = ?2 WHERE provider = ?3", keyId, sealed, provider)
    }
    const found = storage.sql
      .exec<{ keyId: string; sealed: ArrayBuffer }>(
        "SELECT key_id AS keyId, sealed FROM tokens WHERE provider = ?1",
        provider,
      )
      .one()
    return { keyId: found.keyId, sealed: new Uint8Array(found.sealed) }
  })

const connected = async (...accounts: ReadonlyArray<Provider>) => {
  const show = await simulator.createSource({ provider: "spotify", items: 1 })
  const person = await new Person().follows(show)
  for (const provider of accounts) await person.connects(provider)
  await person.pollNow()
  return person
}

const exported = (person: Person) =>
  Effect.runPromise(
    Effect.flip(
      call(methods.ExportTokens, (wire) => exports.MigrationEntrypoint.exportTokens(wire))({ userId: person.id }),
    ),
  )

describe("Sealed bytes that were moved", () => {
  it("to another person's object do not open there, and the account is not lost", async () => {
    const [victim, thief] = [await connected("spotify"), await connected("spotify")]
    const own = await row(thief, "spotify")
    await row(thief, "spotify", await row(victim, "spotify"))
    expect(await thief.pollNow()).toMatchObject({ accounts: [{ outcome: "seal_broken", requests: 0 }] })
    const error = await exported(thief)
    expect(error).toBeInstanceOf(SealBroken)
    expect(error).toMatchObject({ provider: "spotify", reason: "does_not_open" })
    expect((await thief.status()).accounts).toMatchObject([{ state: "connected" }])
    await row(thief, "spotify", own)
    expect(await thief.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("to another provider of the same person do not open either", async () => {
    const person = await connected("spotify", "youtube")
    await row(person, "youtube", await row(person, "spotify"))
    const { accounts, broken } = await person.exportTokens()
    expect(accounts.map(({ provider }) => provider)).toEqual(["spotify"])
    expect(broken).toMatchObject([{ provider: "youtube", reason: expect.stringContaining("does not open") }])
  })
})

describe("Keys", () => {
  const oldRing = () => ringOf(...(env.TOKEN_KEYS ?? "").split(",").slice(1))

  it("that are old open what they sealed, which is sealed anew under the newest at the next use", async () => {
    const person = await connected("spotify")
    const { accessToken, refreshToken } = await simulator.grant(person.id, "spotify")
    const grant = grantOf(accessToken, refreshToken)
    await row(person, "spotify", await Effect.runPromise(seal(await oldRing(), person.id, "spotify", grant)))
    expect((await person.status()).accounts).toMatchObject([{ keyId: "k1" }])
    expect(await person.validateTokens()).toMatchObject({ accounts: [{ isValid: true }] })
    expect((await person.status()).accounts).toMatchObject([{ keyId: "k2" }])
    expect((await person.status()).events[0]).toMatchObject({ type: "resealed" })
    const { accounts } = await person.exportTokens()
    expect(accounts.map(({ tokens }) => Redacted.value(tokens.refreshToken))).toEqual([refreshToken])
  })

  it.each([
    ["is refused", "UPDATE accounts SET state = 'reauthorization_required'"],
    ["is a copy", "UPDATE accounts SET is_holder = 0, copied_generation = 1"],
  ])(
    "that are old are replaced by a verification too, where nobody uses the grant because it %s",
    async (_, change) => {
      const person = new PersonInMove()
      await person.connects("spotify")
      const { accessToken, refreshToken } = await simulator.grant(person.id, "spotify")
      const old = await Effect.runPromise(
        seal(await oldRing(), person.id, "spotify", grantOf(accessToken, refreshToken)),
      )
      await row(person, "spotify", old)
      await person.sql(change)
      const key = newFingerprintKey()
      const before = await person.fingerprints(false, key)
      expect(await row(person, "spotify")).toMatchObject({ keyId: "k2" })
      expect(await person.fingerprints(false, key)).toEqual(before)
      expect(before).toMatchObject([{ fingerprint: expect.any(String) }])
    },
  )

  it("that are gone leave a clear error and the account as it is, until the key is put back", async () => {
    const person = await connected("spotify")
    const own = await row(person, "spotify")
    const grant = grantOf("access", "refresh")
    const foreign = await Effect.runPromise(seal(await ringOf(`k9:${newKey()}`), person.id, "spotify", grant))
    await row(person, "spotify", foreign)
    const { accounts } = await person.pollNow()
    expect(accounts).toMatchObject([{ outcome: "seal_broken", requests: 0 }])
    expect(accounts[0]?.reason).toBe(
      'The spotify token is sealed under key "k9", which TOKEN_KEYS does not hold; put that key back',
    )
    expect(await exported(person)).toMatchObject({ _tag: "SealBroken", reason: "unknown_key", keyId: "k9" })
    expect(await person.refreshTokens({ force: true })).toMatchObject({ accounts: [{ outcome: "failed" }] })
    // D1 is told of the failure first; then there is nothing to do but wait.
    await person.wake()
    const status = await person.status()
    expect(status.accounts).toMatchObject([{ state: "connected" }])
    expect(status.alarmAt).toBeGreaterThan(Date.now())
    await row(person, "spotify", own)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("that are gone do not make the alarm spin over a grant that is due to be exercised", async () => {
    const person = await connected("spotify")
    const foreign = await Effect.runPromise(
      seal(await ringOf(`k9:${newKey()}`), person.id, "spotify", grantOf("access", "refresh")),
    )
    await row(person, "spotify", foreign)
    await runInDurableObject(person.stub, async (_instance, { storage }) => {
      storage.sql.exec("UPDATE tokens SET exercised_at = 0")
      await storage.setAlarm(Date.now() + 3_600_000)
    })
    await person.alarm()
    await person.wake()
    expect((await person.status()).alarmAt).toBeGreaterThan(Date.now() + 1000)
  })
})

describe("TOKEN_KEYS", () => {
  const key = newKey()
  const hex = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")
  const wrong: ReadonlyArray<[string, string | undefined, string]> = [
    ["missing", undefined, "is missing"],
    ["empty", "", "is missing"],
    ["of separators alone", " , ,", "is missing"],
    ["a key without an id", key, "has no key id"],
    ["a short key without an id", hex, "has no key id"],
    ["an id without a key", "k1:", "is not base64 of 32 bytes"],
    [
      "a key that is too short",
      `k1:${Buffer.from(key, "base64").toString("base64").slice(0, 24)}`,
      "is not base64 of 32 bytes",
    ],
    ["a key that is too long", `k1:${Buffer.alloc(48, key).toString("base64")}`, "is not base64 of 32 bytes"],
    ["a key in hexadecimal", `k1:${Buffer.from(key, "base64").toString("hex")}`, "is not base64 of 32 bytes"],
    ["id and key the wrong way round", `${hex}:k1`, "is not base64 of 32 bytes"],
    ["one part too many", `k1:${key}:${key}`, "has no key id"],
    ["a second entry that is wrong", `k2:${newKey()},k1:${key.slice(1)}`, "at entry 2 a key that is not base64"],
    ["the same id twice", `${hex}:${key},${hex}:${newKey()}`, "names at entry 2 a key that it has named before"],
  ]

  const parts = (value: string | undefined) => (value ?? "").split(/[:,\s]+/).filter((part) => part.length > 8)

  it.each(wrong)(
    "%s is Misconfigured, which says what to do and never shows the value",
    async (_what, value, problem) => {
      const error = await Effect.runPromise(Effect.flip(parseKeyRing(Redacted.make(value ?? ""))))
      expect(error).toBeInstanceOf(Misconfigured)
      expect(error.message).toContain("TOKEN_KEYS")
      expect(error.message).toContain(problem)
      expect(error.message).toContain("openssl rand -base64 32")
      for (const part of parts(value)) expect(error.message + error.stack + JSON.stringify(error)).not.toContain(part)
    },
  )

  it.each(wrong)(
    "%s: every method answers so, nothing is kept, and the alarm comes back later",
    async (_what, value, problem) => {
      using logs = captureLogs()
      const person = new Person()
      await runInDurableObject(person.stub, async (_instance, state) => {
        const { TOKEN_KEYS: _right, ...others } = env
        const object = new UserSubscriptionManager(
          state,
          value === undefined ? others : { ...others, TOKEN_KEYS: value },
        )
        const status = call(methods.GetStatus, (wire) => object.getStatus(wire))({ userId: person.id })
        const tokens = { ...grantOf("an access token", "a refresh token"), expiresAt: 1 }
        const set = call(methods.SetToken, (wire) => object.setToken(wire))({
          userId: person.id,
          provider: "spotify",
          tokens,
        })
        for (const method of [status, set]) {
          const error = await Effect.runPromise(
            Effect.flip(method as Effect.Effect<unknown, { readonly message: string }>),
          )
          expect(error).toBeInstanceOf(Misconfigured)
          expect(error.message).toContain(problem)
          for (const part of parts(value)) expect(error.message).not.toContain(part)
        }
        expect(state.storage.sql.exec("SELECT count(*) AS rows FROM tokens").one()).toEqual({ rows: 0 })
        expect(await state.storage.getAlarm()).toBeNull()
        await object.alarm()
        expect(await state.storage.getAlarm()).toBeGreaterThan(Date.now())
        await state.storage.deleteAlarm()
      })
      expect(logs.text()).toContain("TOKEN_KEYS")
      for (const part of parts(value)) expect(logs.text()).not.toContain(part)
    },
  )
})
