import { env } from "cloudflare:workers"
import { afterEach, describe, expect, it } from "vitest"
import { clock } from "../../worker.ts"
import { hour, makeSources, settled } from "../following.ts"
import { type Person, simulator } from "../person.ts"

afterEach(async () => {
  clock.aheadMs = 0
  await simulator.clearFaults()
})

const account = async (person: Person) => (await person.status()).accounts[0]
const somebody = async () => settled(await makeSources("spotify", 1), "spotify")

/** Somebody of whom a provider wants to hear nothing for so long. */
const paused = async (kind: "library" | "token", retryAfter: string) => {
  const person = await somebody()
  await simulator.setFaults([
    { match: { person: person.id, kind }, fault: { type: "rate_limited", retryAfter }, times: 1 },
  ])
  if (kind === "token") await person.refreshTokens({ force: true })
  else await person.pollNow()
  return person
}
const left = async (person: Person) => ((await account(person))?.rateLimitedUntil ?? 0) - Date.now()

describe("A Retry-After", () => {
  it.each(["library", "token"] as const)("of millennia is a day, with an event and in D1: %s", async (kind) => {
    for (const retryAfter of ["999999999999", "9".repeat(400), "Fri, 31 Dec 9999 23:59:59 GMT"]) {
      const person = await paused(kind, retryAfter)
      expect(await left(person)).toBeGreaterThan(23 * hour)
      expect(await left(person)).toBeLessThanOrEqual(24 * hour)
      const { events } = await person.status()
      expect(events.filter(({ type }) => type === "pause_bounded")).toHaveLength(1)
      await person.wake()
      const told = await env.DB.prepare("SELECT accounts FROM durable_object_status WHERE user_id = ?1")
        .bind(person.id)
        .first<string>("accounts")
      expect(JSON.parse(told ?? "[]")).toMatchObject([{ pauseBoundedUntil: (await account(person))?.rateLimitedUntil }])
    }
  })

  it.each(["library", "token"] as const)("of millennia ends with setToken: %s", async (kind) => {
    const person = await paused(kind, "999999999999")
    await person.connects("spotify")
    expect(await account(person)).toMatchObject({ rateLimitedUntil: null, rateLimitReason: null })
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it.each([
    ["library", "18000"],
    ["library", "999999999999"],
    ["token", "18000"],
  ] as const)(
    "ends when an operator says so, once, with an event that says what it was: %s, %s s",
    async (kind, retryAfter) => {
      const person = await paused(kind, retryAfter)
      expect(await person.endPauses()).toEqual({ ended: ["spotify"] })
      expect(await account(person)).toMatchObject({ rateLimitedUntil: null, rateLimitReason: null })
      expect((await person.status()).events[0]).toMatchObject({
        type: "pause_ended",
        detail: expect.stringMatching(/^was until 2/),
      })
      expect(await person.endPauses()).toEqual({ ended: [] })
      expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
    },
  )

  it("of hours is kept to, whoever connects again, and is no event", async () => {
    const person = await paused("library", "18000")
    await person.connects("spotify")
    expect(await left(person)).toBeGreaterThan(4 * hour)
    expect((await person.status()).events.map(({ type }) => type)).not.toContain("pause_bounded")
  })

  it.each(["-5", "", "soon"])(
    "that says nothing (%j) is half a minute, spread by up to a tenth",
    async (retryAfter) => {
      const person = await paused("library", retryAfter)
      expect(await left(person)).toBeGreaterThan(10_000)
      expect(await left(person)).toBeLessThanOrEqual(33_000)
    },
  )
})
