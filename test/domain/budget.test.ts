import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type BudgetLimits, emptyLedger, type Ledger, lease, pause, settle } from "../../src/domain/budget.ts"
import { nextPacificMidnight } from "../../src/domain/quota.ts"

const start = Date.UTC(2026, 10, 24, 18)
const hourMs = 3_600_000

/** Somebody's lease, by the true time. */
interface Holding {
  readonly id: number
  readonly endsAt: number
  left: number
  used: number
}

/** The world of a ledger: its own clock may be put back; requests are made by the true time. */
class World {
  readonly limits: BudgetLimits
  now = start
  behindMs = 0
  ledger: Ledger = emptyLedger
  readonly requests: Array<number> = []
  readonly holdings: Array<Holding> = []
  calls = 0

  constructor(limits: BudgetLimits) {
    this.limits = limits
  }

  get ledgerNow() {
    return this.now - this.behindMs
  }

  lease(wanted: number, isRequested: boolean, isLost: boolean) {
    this.calls += 1
    const { ledger, leased } = lease(this.ledger, this.limits, { wanted, isRequested }, this.ledgerNow)
    this.ledger = ledger
    if (!("units" in leased) || isLost) return leased
    this.holdings.push({ id: leased.id, endsAt: this.now + leased.lastsMs, left: leased.units, used: 0 })
    return leased
  }

  use(which: number, count: number) {
    const holding = this.holdings[which % Math.max(1, this.holdings.length)]
    if (holding === undefined || this.now >= holding.endsAt) return
    const used = Math.min(count, holding.left)
    holding.left -= used
    holding.used += used
    for (let made = 0; made < used; made += 1) this.requests.push(this.now)
  }

  settle(which: number) {
    const [holding] = this.holdings.splice(which % Math.max(1, this.holdings.length), 1)
    if (holding !== undefined) this.ledger = settle(this.ledger, this.limits, holding, this.ledgerNow)
  }

  /** Most requests of any window, and of any day. */
  most() {
    const { windowMs } = this.limits
    const inWindow = this.requests.map(
      (from) => this.requests.filter((at) => at >= from && at <= from + windowMs).length,
    )
    const days = new Map<number, number>()
    for (const at of this.requests) days.set(nextPacificMidnight(at), (days.get(nextPacificMidnight(at)) ?? 0) + 1)
    return { window: Math.max(0, ...inWindow), day: Math.max(0, ...days.values()) }
  }
}

const event = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("lease"),
      wanted: fc.integer({ min: 1, max: 40 }),
      isRequested: fc.boolean(),
      isLost: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant("use"), which: fc.nat(20), count: fc.integer({ min: 1, max: 40 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("settle"), which: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("wait"),
      ms: fc.oneof(fc.nat(5_000), fc.nat(40_000), fc.nat(9 * hourMs)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("evict") }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constant("putBack"), ms: fc.oneof(fc.nat(60_000), fc.nat(2 * hourMs)) }),
  },
)

const play = (world: World, events: ReadonlyArray<Readonly<Record<string, unknown>>>) => {
  for (const { type, wanted, isRequested, isLost, which, count, ms } of events) {
    if (type === "lease") world.lease(Number(wanted), isRequested === true, isLost === true)
    if (type === "use") world.use(Number(which), Number(count))
    if (type === "settle") world.settle(Number(which))
    if (type === "wait") world.now += Number(ms)
    if (type === "evict") world.ledger = JSON.parse(JSON.stringify(world.ledger))
    if (type === "putBack") world.behindMs += Number(ms)
  }
}

describe("A budget, in any order of leases, uses, returns, evictions and clocks that are put back,", () => {
  const events = fc.array(event, { maxLength: 120 })

  it("lets no window have more requests than its rate", () => {
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 60 }), (all, rate) => {
        const world = new World({ rate, windowMs: 30_000, daily: 0 })
        play(world, all)
        expect(world.most().window).toBeLessThanOrEqual(rate)
      }),
      { numRuns: 1000 },
    )
  })

  it("lets no day have more units than it has", () => {
    // A clock that is behind at midnight begins its day late, and ends it late: it is put back less than that.
    const punctual = events.map((all) => all.filter(({ type }) => type !== "putBack"))
    fc.assert(
      fc.property(punctual, fc.integer({ min: 1, max: 60 }), (all, daily) => {
        const world = new World({ rate: 0, windowMs: 30_000, daily })
        play(world, all)
        expect(world.most().day).toBeLessThanOrEqual(daily)
      }),
      { numRuns: 1000 },
    )
  })
})

const rate: BudgetLimits = { rate: 100, windowMs: 30_000, daily: 0 }
const daily: BudgetLimits = { rate: 0, windowMs: 30_000, daily: 1000 }

const drain = (world: World, isRequested: boolean) => {
  let units = 0
  for (;;) {
    const leased = world.lease(1000, isRequested, false)
    if (!("units" in leased)) return { units, leased }
    units += leased.units
  }
}

describe("A budget", () => {
  it("keeps a fifth of the window for those who wait", () => {
    const world = new World(rate)
    expect(drain(world, false).units).toBe(80)
    expect(drain(world, true).units).toBe(20)
  })

  it("keeps a fifth of the day for those who wait, and paces the rest", () => {
    const world = new World(daily)
    world.now = nextPacificMidnight(start) + 1
    expect(drain(world, false).units).toBe(200)
    const { leased } = drain(world, false)
    expect(leased).toMatchObject({ reason: "budget_spent" })
    world.now = "retryAt" in leased ? leased.retryAt : 0
    expect(drain(world, false).units).toBe(1)
    world.now = nextPacificMidnight(world.now) - hourMs
    drain(world, false)
    expect(world.ledger.day.units).toBe(800)
    expect(drain(world, true).units).toBe(200)
    expect(drain(world, true).leased).toMatchObject({ retryAt: nextPacificMidnight(world.now) })
  })

  it("gives back to the day what was not used, once", () => {
    const world = new World(daily)
    const leased = world.lease(50, true, false)
    const id = "units" in leased ? leased.id : 0
    for (let times = 0; times < 2; times += 1) {
      world.ledger = settle(world.ledger, daily, { id, used: 10 }, world.now)
      expect(world.ledger.day.units).toBe(10)
    }
  })

  it("has room again as soon as it says", () => {
    const world = new World(rate)
    const { leased } = drain(world, true)
    world.now = "retryAt" in leased ? leased.retryAt - 1 : 0
    expect(world.lease(1, true, false)).not.toHaveProperty("units")
    world.now += 1
    expect(world.lease(1, true, false)).toHaveProperty("units", 1)
  })

  it("gives nobody all that there is", () => {
    expect(new World(rate).lease(1000, true, false)).toMatchObject({ units: 25 })
  })

  it("gives nothing while a provider has asked for a pause, and believes the longest", () => {
    const asked = { reason: "quota_exceeded", retryAt: start + hourMs } as const
    let ledger = pause(emptyLedger, rate, asked, start)
    ledger = pause(ledger, rate, { reason: "rate_limited", retryAt: start + 1000 }, start)
    expect(lease(ledger, rate, { wanted: 1, isRequested: true }, start + 5000).leased).toEqual(asked)
    expect(lease(ledger, rate, { wanted: 1, isRequested: true }, start + hourMs).leased).toHaveProperty("units", 1)
  })
})
