import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { LeasePool } from "../../src/budget/LeasePool.ts"
import { type BudgetLimits, emptyLedger, type Ledger, lease, settle } from "../../src/domain/budget.ts"

const start = Date.UTC(2026, 10, 24, 18)

/** Isolates that lease of one budget, and what they ask of the provider. */
class World {
  readonly limits: BudgetLimits
  readonly pools: ReadonlyArray<LeasePool>
  readonly requests: Array<number> = []
  now = start
  ledger: Ledger = emptyLedger
  calls = 0
  /** Whether the budget's answers get lost on the way. */
  isLossy = false

  constructor(limits: BudgetLimits, isolates = 3) {
    this.limits = limits
    this.pools = Array.from({ length: isolates }, () => new LeasePool(limits))
  }

  ask(isolate: number, isRequested: boolean, taker: object = this) {
    const pool = this.pools[isolate % this.pools.length] ?? new LeasePool(this.limits)
    if (pool.take(isRequested, taker, this.now)) return void this.requests.push(this.now)
    if (pool.nothing(isRequested, this.now) !== undefined) return
    const { wanted, settled } = pool.ask(this.now)
    this.calls += 1
    const before = settled.reduce((ledger, used) => settle(ledger, this.limits, used, this.now), this.ledger)
    const { ledger, leased } = lease(before, this.limits, { wanted, isRequested }, this.now)
    this.ledger = JSON.parse(JSON.stringify(ledger))
    if (this.isLossy) return
    if (!("units" in leased)) return pool.refuse(leased, isRequested, this.now)
    pool.accept(leased, isRequested, this.now)
    if (pool.take(isRequested, taker, this.now)) this.requests.push(this.now)
  }
}

const event = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ isolate: fc.nat(2), times: fc.integer({ min: 1, max: 60 }), isRequested: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ waitMs: fc.oneof(fc.nat(3_000), fc.nat(40_000)) }) },
  { weight: 1, arbitrary: fc.record({ isLossy: fc.boolean() }) },
)

describe("Isolates that share a budget", () => {
  it("make no more requests in any window than its rate, whatever the order", () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 100 }), (events, rate) => {
        const world = new World({ rate, windowMs: 30_000, daily: 0 })
        for (const one of events) {
          if ("waitMs" in one) world.now += one.waitMs
          else if ("isLossy" in one) world.isLossy = one.isLossy
          else for (let times = 0; times < one.times; times += 1) world.ask(one.isolate, one.isRequested)
        }
        const { requests } = world
        const most = Math.max(
          0,
          ...requests.map((from) => requests.filter((at) => at >= from && at <= from + 30_000).length),
        )
        expect(most).toBeLessThanOrEqual(rate)
      }),
      { numRuns: 500 },
    )
  })

  it("give back what one object leaves, and keep it where several take by turns", () => {
    const world = new World({ rate: 0, windowMs: 30_000, daily: 1000 }, 1)
    const [pool] = world.pools
    const [one, other] = [{}, {}]
    world.ask(0, true, one)
    expect(pool?.giveBack(world.now)).toEqual([{ id: 1, used: 1 }])
    world.ask(0, true, other)
    expect(pool?.giveBack(world.now)).toEqual([])
    world.now += 2 * 60_000
    world.ask(0, true, other)
    expect(pool?.giveBack(world.now)).toEqual([{ id: 3, used: 1 }])
  })

  it("ask it once for 50 requests at most, in the steady state", () => {
    const world = new World({ rate: 100_000, windowMs: 30_000, daily: 0 })
    const second = () => {
      for (let times = 0; times < 300; times += 1) world.ask(times, false)
      world.now += 1000
    }
    for (let warm = 0; warm < 10; warm += 1) second()
    const { calls, requests } = world
    const before = { calls, requests: requests.length }
    for (let steady = 0; steady < 60; steady += 1) second()
    expect((world.requests.length - before.requests) / (world.calls - before.calls)).toBeGreaterThanOrEqual(50)
  })
})
