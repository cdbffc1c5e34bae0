import { env } from "cloudflare:workers"
import { Redacted } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import type { Provider } from "../../../src/domain/provider.ts"
import type { GivenTokens } from "../../../src/domain/token.ts"
import { simulator } from "../person.ts"
import { PersonInMove, toTokens } from "../personInMove.ts"

const day = 24 * 3_600_000

afterEach(async () => {
  await simulator.clearFaults()
})

const nobody = async (provider: Provider = "spotify") => {
  const source = await simulator.createSource({ provider, items: 1 })
  return (await new PersonInMove().follows(source)) as PersonInMove
}

/** Somebody with a grant that works. */
const somebody = async (provider: Provider = "spotify") => {
  const person = await nobody(provider)
  await person.connects(provider)
  return person
}

const nonsense: GivenTokens = {
  accessToken: Redacted.make("nonsense"),
  refreshToken: Redacted.make("nonsense"),
  expiresAt: Date.now() + 3_600_000,
  scope: [],
}

const set = (person: PersonInMove, tokens: GivenTokens, isProbed?: boolean, provider: Provider = "spotify") =>
  person.run(person.setToken({ userId: person.id, provider, tokens, ...(isProbed === undefined ? {} : { isProbed }) }))

const refusal = (path: string, message: string) => ({
  _tag: "InvalidRequest",
  issues: [{ path, message: expect.stringContaining(message) }],
})

const newest = async (person: PersonInMove) => (await simulator.tokenState(person.id, "spotify")).newestRefreshToken

const outage = (person: PersonInMove) =>
  simulator.setFaults([{ match: { person: person.id }, fault: { type: "status", status: 503 } }])

describe("A token in the place of a grant that works", () => {
  it("is tried with one request first, and refused where the provider does; the grant that works stays", async () => {
    const person = await somebody()
    const before = await person.exportedRefreshTokens()
    await expect(set(person, nonsense)).rejects.toMatchObject(refusal("tokens.accessToken", "spotify does not accept"))
    expect(await person.exportedRefreshTokens()).toEqual(before)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("costs one request more, and takes its place where it works", async () => {
    const person = await somebody()
    await person.pollNow()
    const asked = await person.requests()
    const grant = await simulator.grant(person.id, "spotify")
    expect(await set(person, toTokens(grant))).toMatchObject({ state: "connected" })
    expect(await person.requests()).toBe(asked + 1)
    expect(await person.exportedRefreshTokens()).toEqual([grant.refreshToken])
  })

  it("is not tried where the caller says so", async () => {
    const person = await somebody()
    expect(await set(person, nonsense, false)).toMatchObject({ state: "connected" })
    expect(await person.exportedRefreshTokens()).toEqual(["nonsense"])
  })

  it("is refused where D1 holds the account just the same", async () => {
    const person = await nobody()
    const { refreshToken } = await person.hasInDatabase("spotify")
    await expect(set(person, nonsense)).rejects.toMatchObject(refusal("tokens.accessToken", "spotify does not accept"))
    expect(await person.row("spotify")).toMatchObject({ refresh_token: refreshToken, generation: 1 })
    expect(await set(person, nonsense, false)).toMatchObject({ state: "connected", generation: 2 })
  })

  it("that lacks a scope is refused by what the provider says of it", async () => {
    const person = await somebody()
    const narrow = await simulator.grant(person.id, "spotify", { scope: ["user-read-playback-position"] })
    await expect(set(person, { ...toTokens(narrow), scope: [] })).rejects.toMatchObject(
      refusal("tokens.scope", "spotify does not let"),
    )
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })
})

describe("Nothing is asked of the provider before a token is set", () => {
  it("in the place of none", async () => {
    const person = await nobody()
    expect(await set(person, nonsense)).toMatchObject({ state: "connected" })
    expect(await person.requests()).toBe(0)
  })

  it("in the place of one that the provider has refused", async () => {
    const person = await somebody()
    await simulator.revoke(person.id, "spotify")
    await person.refreshTokens({ force: true })
    const asked = await person.requests()
    expect(await set(person, nonsense)).toMatchObject({ state: "connected" })
    expect(await person.requests()).toBe(asked)
  })
})

describe("While the provider is down, a token takes the place of one that works, untried", () => {
  it("and stays if it turns out to work", async () => {
    const person = await somebody()
    const grant = await simulator.grant(person.id, "spotify")
    await outage(person)
    expect(await set(person, toTokens(grant))).toMatchObject({ state: "connected" })
    await simulator.clearFaults()
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await person.exportedRefreshTokens()).toEqual([grant.refreshToken])
  })

  it("and the one before it comes back, with its age, if the provider refuses the new one afterwards", async () => {
    const person = await nobody()
    const authorizedAt = Date.now() - 100 * day
    await set(person, { ...toTokens(await simulator.grant(person.id, "spotify", { authorizedAt })), authorizedAt })
    const other = await nobody()
    const revoked = toTokens(await simulator.grant(other.id, "spotify"))
    await outage(other)
    expect(await set(person, revoked)).toMatchObject({ state: "connected" })
    expect((await person.account("spotify"))?.authorizedAt).toBeGreaterThan(authorizedAt)
    await simulator.clearFaults()
    await simulator.revoke(other.id, "spotify")
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await person.exportedRefreshTokens()).toEqual([await newest(person)])
    expect(await person.account("spotify")).toMatchObject({ state: "connected", authorizedAt })
  })

  it("and so does one whose access token has expired already, which cannot be tried", async () => {
    const person = await somebody()
    expect(await set(person, { ...nonsense, expiresAt: Date.now() - 1 })).toMatchObject({ state: "connected" })
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    expect(await person.exportedRefreshTokens()).toEqual([await newest(person)])
  })
})

describe("A consent without a refresh token", () => {
  const consent = async (person: { readonly id: string }, provider: Provider = "youtube") => {
    const { refreshToken: _without, ...tokens } = toTokens(await simulator.grant(person.id, provider))
    return tokens
  }

  it("keeps the one that there is, and its age, for the same account", async () => {
    const person = await nobody("youtube")
    const authorizedAt = Date.now() - 100 * day
    const grant = await simulator.grant(person.id, "youtube")
    await set(person, { ...toTokens(grant), authorizedAt }, undefined, "youtube")
    const tokens = await consent(person)
    expect(await set(person, tokens, undefined, "youtube")).toMatchObject({ state: "connected" })
    const [exported] = (await person.exportTokens()).accounts
    expect(Redacted.value(exported?.tokens.accessToken ?? Redacted.make(""))).toBe(Redacted.value(tokens.accessToken))
    expect(await person.exportedRefreshTokens()).toEqual([grant.refreshToken])
    expect(await person.account("youtube")).toMatchObject({ authorizedAt })
  })

  it("is refused of another account, and nothing changes", async () => {
    const [person, other] = [await somebody("youtube"), await nobody("youtube")]
    const before = await person.exportedRefreshTokens()
    await expect(set(person, await consent(other), undefined, "youtube")).rejects.toMatchObject(
      refusal("tokens.refreshToken", "another account"),
    )
    expect(await person.exportedRefreshTokens()).toEqual(before)
  })

  it("is refused where nothing is there to keep, D1 holds the account, or the provider does not answer", async () => {
    const [alone, inDatabase, person] = [await nobody("youtube"), await nobody("youtube"), await somebody("youtube")]
    await inDatabase.hasInDatabase("youtube")
    await outage(person)
    for (const [one, message] of [
      [alone, "no refresh token to keep"],
      [inDatabase, "cannot be kept"],
      [person, "cannot be known"],
    ] as const) {
      await expect(set(one, await consent(one), undefined, "youtube")).rejects.toMatchObject(
        refusal("tokens.refreshToken", message),
      )
    }
    expect(await env.DB.prepare("SELECT 1 FROM user_accounts WHERE user_id = ?1").bind(alone.id).first()).toBeNull()
  })
})

describe("What a caller got wrong is refused with what is probably meant", () => {
  const seconds = Math.round(Date.now() / 1000)
  it.each<readonly [string, Partial<GivenTokens>, string, string]>([
    ["epoch seconds", { expiresAt: seconds + 3600 }, "tokens.expiresAt", "epoch seconds"],
    ["seconds from now", { expiresAt: 3600 }, "tokens.expiresAt", "seconds from now"],
    ["microseconds", { expiresAt: seconds * 1_000_000 }, "tokens.expiresAt", "microseconds"],
    ["10 years ahead", { expiresAt: Date.now() + 3650 * day }, "tokens.expiresAt", "more than a year ahead"],
    ["an authorization to come", { authorizedAt: Date.now() + day }, "tokens.authorizedAt", "in the future"],
    ["an authorization in seconds", { authorizedAt: seconds }, "tokens.authorizedAt", "epoch seconds"],
    ["a client that is not set up", { client: "third" }, "tokens.client", "default"],
    ["too little granted", { scope: ["user-read-email"] }, "tokens.scope", "user-library-read"],
  ])("%s", async (_what, wrong, path, message) => {
    const person = await nobody()
    await expect(set(person, { ...nonsense, ...wrong })).rejects.toMatchObject(refusal(path, message))
    expect((await person.status()).accounts).toEqual([])
  })

  it("and what has expired long ago is none of that: a refresh may bring more", async () => {
    const person = await nobody()
    expect(await set(person, { ...nonsense, expiresAt: Date.now() - 400 * day })).toMatchObject({ state: "connected" })
  })
})
