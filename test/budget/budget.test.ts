import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import type { Ledger } from "../../src/domain/budget.ts"
import type { Provider } from "../../src/domain/provider.ts"
import type { BudgetNamespace } from "../../src/rpc/budget.ts"
import { hour, makeSources, minute, publishInEach, settled, timesAsked } from "../object/following.ts"
import { type Person, simulator } from "../object/person.ts"
import { budgets, clock } from "../worker.ts"

/** The budgets, with a count of what they are asked, and an outage. A new one is a new isolate, which has no leases. */
const openBudgets = (variables: Readonly<Record<string, string>> = {}) => {
  const { BUDGETS } = env
  if (BUDGETS === undefined) throw new Error("No budgets are bound")
  const watched = { leases: 0, pauses: 0, isDown: false }
  const count = (what: "leases" | "pauses") => {
    if (watched.isDown) throw new Error("The budget is down")
    watched[what] += 1
  }
  const bound: BudgetNamespace = {
    idFromName: (name) => BUDGETS.idFromName(`${name}:${run}`),
    get: (id) => {
      const stub = BUDGETS.get(id)
      return {
        lease: async (wire) => {
          count("leases")
          return stub.lease(wire)
        },
        pause: async (wire) => {
          count("pauses")
          return stub.pause(wire)
        },
        refusedGrant: (wire) => stub.refusedGrant(wire),
      }
    },
  }
  budgets.bound = bound
  budgets.variables = { SPOTIFY_RATE: "100000", YOUTUBE_DAILY_UNITS: "1000000", ...variables }
  return watched
}

let run = 0
beforeEach(() => {
  run += 1
})
afterEach(async () => {
  clock.aheadMs = 0
  budgets.bound = null
  budgets.variables = {}
  await simulator.clearFaults()
})

const ledgerOf = async (provider: Provider) => {
  const { BUDGETS } = env
  if (BUDGETS === undefined) throw new Error("No budgets are bound")
  return runInDurableObject(BUDGETS.get(BUDGETS.idFromName(`${provider}:default:0:${run}`)), (_instance, { storage }) =>
    storage.kv.get<Ledger>("ledger"),
  )
}

/** People whose first poll is over, before there was any budget; each source has something new, and their objects start anew with the next call. */
const following = async (provider: Provider, count: number, each: number) => {
  const bound = budgets.bound
  budgets.bound = null
  const people = await Promise.all(
    Array.from({ length: count }, async () => {
      const sources = await makeSources(provider, each)
      const person = await settled(sources, provider)
      await publishInEach(sources)
      return person
    }),
  )
  for (const person of people) {
    await person.becomesDue()
    await person.evict()
  }
  budgets.bound = bound
  return people
}

const one = async (provider: Provider, sources: number) => {
  const [person] = await following(provider, 1, sources)
  if (person === undefined) throw new Error("nobody")
  return person
}

const askedOf = async (people: ReadonlyArray<Person>) =>
  (await Promise.all(people.map(({ id }) => simulator.ledger({ person: id }))))
    .flat()
    .filter(({ kind }) => kind !== "token").length

const outcomes = async (people: ReadonlyArray<Person>) => {
  const polls = []
  for (const person of people) polls.push(await person.pollNow())
  return polls.map(({ accounts }) => accounts[0]?.outcome)
}

describe("An exhausted quota", () => {
  it.each(["spotify", "youtube"] as const)(
    "of %s costs one refused request, and not one a person",
    async (provider) => {
      openBudgets()
      const people = await following(provider, 10, 2)
      await simulator.setFaults(
        people.map(({ id }) => ({ match: { person: id, provider }, fault: { type: "quota_exceeded" } })),
      )
      expect(await outcomes(people)).toEqual(people.map(() => "rate_limited"))
      expect(await askedOf(people)).toBe(1)
      const [account] = (await people[9]?.status())?.accounts ?? []
      expect(account).toMatchObject({ state: "connected", rateLimitReason: "quota_exceeded" })
    },
  )

  it("reaches an isolate that holds a lease already when that asks again", async () => {
    openBudgets()
    const [first, second] = await following("youtube", 2, 2)
    await simulator.setFaults([{ match: { person: first?.id ?? "" }, fault: { type: "quota_exceeded" } }])
    await first?.pollNow()
    // Another isolate has heard of nothing.
    openBudgets()
    expect(await second?.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited", requests: 0 }] })
  })

  it("of one person alone is nobody else's", async () => {
    openBudgets()
    const [first, second] = await following("youtube", 2, 2)
    const fault = { type: "rate_limited", retryAfterSeconds: 3600, reason: "userRateLimitExceeded" } as const
    await simulator.setFaults([{ match: { person: first?.id ?? "" }, fault }])
    expect(await first?.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    expect(await second?.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })

  it("is over for everybody when an operator ends it", async () => {
    openBudgets()
    const [first, second] = await following("spotify", 2, 2)
    await simulator.setFaults([{ match: { person: first?.id ?? "" }, fault: { type: "quota_exceeded" }, times: 1 }])
    expect(await outcomes([first, second].filter((one) => one !== undefined))).toEqual(["rate_limited", "rate_limited"])
    await first?.endPauses()
    await second?.endPauses()
    expect(await second?.pollNow()).toMatchObject({ accounts: [{ outcome: "polled" }] })
  })
})

describe("A budget", () => {
  it("that is used up by background work leaves requested polls their share", async () => {
    openBudgets({ SPOTIFY_RATE: "50" })
    const people = await following("spotify", 6, 12)
    for (const person of people) await person.alarm()
    expect(await askedOf(people)).toBeGreaterThan(30)
    expect(await askedOf(people)).toBeLessThanOrEqual(40)
    const impatient = await one("spotify", 5)
    expect(await impatient.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", asked: 5 }] })
    const [account] = (await people[5]?.status())?.accounts ?? []
    expect(account?.rateLimitReason).toBe("budget_spent")
  })

  it("gives somebody with many sources no more than a part, while there is little", async () => {
    openBudgets({ SPOTIFY_RATE: "100" })
    const many = await one("spotify", 150)
    expect(await many.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited" }] })
    const few = await one("spotify", 5)
    expect(await few.pollNow()).toMatchObject({ accounts: [{ outcome: "polled", asked: 5 }] })
  })

  it("lets everybody through in the end", async () => {
    openBudgets({ SPOTIFY_RATE: "40" })
    const people = await following("spotify", 6, 12)
    for (let round = 0; round < 40; round += 1) {
      for (const person of people) await person.alarm()
      clock.aheadMs += 20_000
    }
    const asked = await Promise.all(people.map(timesAsked))
    expect(asked.map(({ size }) => size)).toEqual(people.map(() => 12))
  })

  it("gets back the units of a day that a wake has not used", async () => {
    openBudgets()
    const person = await one("youtube", 2)
    const { accounts } = await person.pollNow()
    await expect.poll(async () => (await ledgerOf("youtube"))?.day.units).toBe(accounts[0]?.requests)
  })

  it("that is down leaves a few requests, never none and never all", async () => {
    const watched = openBudgets()
    watched.isDown = true
    const person = await one("spotify", 30)
    expect(await person.pollNow()).toMatchObject({ accounts: [{ outcome: "rate_limited", requests: 10 }] })
    watched.isDown = false
    clock.aheadMs += 2 * minute
    await person.alarm()
    expect((await timesAsked(person)).size).toBe(30)
  })
})

describe("A grant that is refused", () => {
  it("is nobody's to give up, when many people's are refused within minutes", async () => {
    openBudgets()
    const people = await following("spotify", 8, 1)
    const match = (person: Person) => ({ person: person.id, kind: "token" as const })
    await simulator.setFaults(people.map((person) => ({ match: match(person), fault: { type: "invalid_grant" } })))
    for (const person of people) await person.refreshTokens({ force: true })
    const states = async () =>
      (await Promise.all(people.map((person) => person.status()))).map(({ accounts }) => accounts[0]?.state)
    const [connected, refused] = ["connected", "reauthorization_required"]
    // The first four may be anybody's; from the fifth on it is the provider's doing.
    expect(await states()).toEqual([...Array(4).fill(refused), ...Array(4).fill(connected)])
    await simulator.clearFaults()
    clock.aheadMs += 2 * hour
    for (const person of people) await person.alarm()
    expect(await states()).toEqual(people.map(() => connected))
  })

  it("is given up as before, when it is one person's", async () => {
    openBudgets()
    const person = await one("spotify", 1)
    await simulator.setFaults([{ match: { person: person.id, kind: "token" }, fault: { type: "invalid_grant" } }])
    await person.refreshTokens({ force: true })
    expect((await person.status()).accounts[0]?.state).toBe("reauthorization_required")
  })
})
