import { Redacted } from "effect"
import { afterEach, describe, expect, it } from "vitest"
import type { JsonPatch } from "../../../local/simulator/model/faults.ts"
import type { Fault } from "../../../local/simulator/model.ts"
import { clock } from "../../worker.ts"
import { minute } from "../following.ts"
import { Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

/** Somebody whose refresh tokens work once, and of whose next answer of the token endpoint `fault` is made. */
const somebody = async (fault: Fault) => {
  const person = new Person()
  await person.connects("spotify")
  await simulator.setRotation("spotify", "single-use", person.id)
  await simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault, times: 1 }])
  return person
}

const grantOf = async (person: Person) => {
  const grant = (await person.exportTokens()).accounts[0]?.tokens
  if (grant === undefined) throw new Error("no account to export")
  return { ...grant, accessToken: Redacted.value(grant.accessToken), refreshToken: Redacted.value(grant.refreshToken) }
}
const newest = async (person: Person) => (await simulator.tokenState(person.id, "spotify")).newestRefreshToken
const refresh = async (person: Person) => (await person.refreshTokens({ force: true })).accounts[0]

const oddities: ReadonlyArray<[string, JsonPatch]> = [
  ["an expires_in of -1", { expires_in: -1 }],
  ["an expires_in of null", [{ path: "/expires_in", value: null }]],
  ["an expires_in that is a word", { expires_in: "soon" }],
  ["a scope of null", [{ path: "/scope", value: null }]],
  ["a scope that is a number", { scope: 4 }],
  ["a scope that is endless", { scope: "x".repeat(5000) }],
  ["no token type", { token_type: null }],
  ["an ID token that is none", { id_token: "a.b.c" }],
  ["an ID token that is a number", { id_token: 17 }],
]

describe("An answer of the token endpoint", () => {
  it.each(oddities)("with %s is used, and its refresh token stored", async (_what, patch) => {
    const person = await somebody({ type: "patch", patch })
    const before = await grantOf(person)
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed", reason: null })
    const after = await grantOf(person)
    expect(after.refreshToken).toBe(await newest(person))
    expect(after.scope).toEqual(before.scope)
    expect(after.expiresAt).toBeGreaterThan(Date.now() + 59 * minute)
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed" })
    expect(await simulator.tokenState(person.id, "spotify")).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it.each<[string, JsonPatch]>([
    ["is a number", { access_token: 17 }],
    ["is empty", { access_token: "" }],
    ["is missing", { access_token: null }],
    ["is longer than any", { access_token: "x".repeat(5000) }],
    ["has a type that nobody knows", { token_type: "odd" }],
  ])("of which the access token %s still brings its refresh token", async (_what, patch) => {
    const person = await somebody({ type: "patch", patch })
    const before = await grantOf(person)
    expect(await refresh(person)).toMatchObject({ outcome: "failed" })
    expect(await grantOf(person)).toEqual({ ...before, refreshToken: await newest(person) })
    const failed = (await person.status()).accounts[0]
    expect(failed).toMatchObject({ state: "connected", failures: 1 })
    const events = (await person.status()).events.map(({ type }) => type)
    expect(events.filter((type) => type !== "exported")).toEqual(["refresh_failed", "rotated", "connected"])

    clock.aheadMs = (failed?.retryAt ?? 0) - Date.now() + 1000
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed" })
    expect(await simulator.tokenState(person.id, "spotify")).toMatchObject({ refreshes: 2, reuses: 0 })
  })

  it("with an empty refresh token leaves the one that there is", async () => {
    const person = await somebody({ type: "patch", patch: { refresh_token: "" } })
    await simulator.setRotation("spotify", "none", person.id)
    const { refreshToken } = await grantOf(person)
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed" })
    expect((await grantOf(person)).refreshToken).toBe(refreshToken)
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed" })
  })

  it("to a grant with openid, email and profile is used, whoever issued its ID token", async () => {
    const person = new Person()
    const scope = ["openid", "email", "profile", "https://www.googleapis.com/auth/youtube.readonly"]
    await person.connects("youtube", { scope })
    expect(await refresh(person)).toMatchObject({ outcome: "refreshed", reason: null })
    expect(await simulator.tokenState(person.id, "youtube")).toMatchObject({ refreshes: 1 })
  })
})

describe("A token endpoint that", () => {
  it.each<[string, Fault, string]>([
    ["sends us elsewhere is not followed", { type: "redirect", location: "/moved" }, "302"],
    [
      "sends us elsewhere with the request is not followed",
      { type: "redirect", location: "/moved", status: 307 },
      "307",
    ],
    ["answers without end is not read to the end", { type: "huge", bytes: 6_000_000 }, "larger than"],
    [
      "answers with an endless error is not read to the end",
      { type: "huge", bytes: 6_000_000, end: "garbage" },
      "larger than",
    ],
  ])("%s, and the account retries", async (_what, fault, reason) => {
    const person = new Person()
    await person.connects("spotify")
    await simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault, times: 1 }])
    expect(await refresh(person)).toMatchObject({ outcome: "failed", reason: expect.stringContaining(reason) })
    expect((await person.status()).accounts).toMatchObject([{ state: "connected", failures: 1 }])
    const asked = await simulator.ledger({ person: person.id, kind: "token" })
    expect(asked.map(({ redirected }) => redirected ?? false)).toEqual([false])
  })
})
