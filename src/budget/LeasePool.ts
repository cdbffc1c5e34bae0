import type { BudgetLimits, Leased } from "../domain/budget.ts"
import type { Pause } from "../domain/pause.ts"

/** Requests of a first lease, and of the largest: each that is used up before its end doubles the next one. */
const smallest = 4
const largest = 128

/** What the pool allows itself while the budget does not answer: so many requests in so many milliseconds. */
const allowed = 10
const allowedEachMs = 60_000

/** How long a budget that did not answer is not asked again, in milliseconds. */
const downMs = 5_000

/** How long it is believed that there is nothing, in milliseconds: an operator may end a pause. */
const believedMs = 30_000

/** How long it is believed that others will want what one object leaves, in milliseconds. */
const sharedMs = 60_000

interface Held {
  readonly id: number
  readonly units: number
  readonly begunAt: number
  readonly endsAt: number
  readonly isRequested: boolean
  left: number
}

type Grant = Exclude<Leased, Pause>

/** The leases of one budget that the objects of an isolate share. Times are epoch milliseconds. */
export class LeasePool {
  readonly limits: BudgetLimits
  #held: ReadonlyArray<Held> = []
  #settled: ReadonlyArray<{ readonly id: number; readonly used: number }> = []
  #block = smallest
  readonly #nothing = new Map<boolean, Pause & { readonly until: number }>()
  #downUntil = 0
  #allowance = { endsAt: 0, left: 0 }
  /** Who has taken last, and when last somebody else than before. */
  #taker: object | undefined
  #changedAt = Number.NEGATIVE_INFINITY
  /** Whether more than half of what there is has been given. */
  isScarce = false

  constructor(limits: BudgetLimits) {
    this.limits = limits
  }

  /** Takes one request from a lease; a request that somebody waits for takes from any. */
  take(isRequested: boolean, taker: object, now: number): boolean {
    const held = this.#held.find(
      (one) => one.left > 0 && now < one.endsAt && now >= one.begunAt && (isRequested || !one.isRequested),
    )
    if (held === undefined) return false
    held.left -= 1
    if (this.#taker !== undefined && this.#taker !== taker) this.#changedAt = now
    this.#taker = taker
    return true
  }

  /** Why there is nothing to be had, if that is known. */
  nothing(isRequested: boolean, now: number): Pause | undefined {
    const known = this.#nothing.get(isRequested)
    return known !== undefined && now < known.until && now < known.retryAt ? known : undefined
  }

  isDown(now: number): boolean {
    return now < this.#downUntil
  }

  /** What is to be said and asked in the next call. What is over is settled by it. */
  ask(now: number): { readonly wanted: number; readonly settled: ReadonlyArray<{ id: number; used: number }> } {
    const over = this.#held.filter(({ left, endsAt, begunAt }) => left === 0 || now >= endsAt || now < begunAt)
    this.#held = this.#held.filter((held) => !over.includes(held))
    const newest = over.at(-1)
    if (newest !== undefined) {
      const isUsed = newest.left === 0 && now < newest.endsAt
      this.#block = isUsed
        ? Math.min(largest, this.#block * 2)
        : newest.left * 2 > newest.units
          ? Math.max(smallest, Math.floor(this.#block / 2))
          : this.#block
    }
    const settled = [...this.#settled, ...over.map(({ id, units, left }) => ({ id, used: units - left }))]
    this.#settled = []
    return { wanted: this.#block, settled }
  }

  /** Takes in a lease that was asked for at a moment. */
  accept({ id, units, lastsMs, isScarce }: Grant, isRequested: boolean, askedAt: number): void {
    const endsAt = askedAt + lastsMs
    this.#held = [...this.#held, { id, units, left: units, begunAt: askedAt, endsAt, isRequested }]
    this.isScarce = isScarce
  }

  /** Takes in that there is nothing. What a provider asked for concerns everybody, and ends the leases there are. */
  refuse(pause: Pause, isRequested: boolean, now: number): void {
    const known = { ...pause, until: now + believedMs }
    if (pause.reason === "budget_spent") return void this.#nothing.set(isRequested, known)
    this.#nothing.set(true, known).set(false, known)
    this.#settled = [...this.#settled, ...this.#held.map(({ id, units, left }) => ({ id, used: units - left }))]
    this.#held = []
  }

  /** Lets go of what is known of pauses. */
  forgetPauses(): void {
    this.#nothing.clear()
  }

  /** The budget did not answer. What was said to it is said again. */
  fail(settled: ReadonlyArray<{ readonly id: number; readonly used: number }>, now: number): void {
    this.#settled = [...settled, ...this.#settled]
    this.#downUntil = now + downMs
  }

  /** Takes one of the few requests that are made without a budget; or says when there is one again. */
  takeAllowed(now: number): Pause | null {
    if (now >= this.#allowance.endsAt || now < this.#allowance.endsAt - allowedEachMs) {
      this.#allowance = { endsAt: now + allowedEachMs, left: allowed }
    }
    if (this.#allowance.left === 0) return { reason: "budget_spent", retryAt: this.#allowance.endsAt }
    this.#allowance.left -= 1
    return null
  }

  /** What is left of all leases, to be given back: nothing while several objects take of them by turns. */
  giveBack(now: number): ReadonlyArray<{ readonly id: number; readonly used: number }> {
    if (now - this.#changedAt < sharedMs) return []
    const left = this.#held.filter((held) => held.left > 0)
    this.#held = this.#held.filter((held) => held.left === 0)
    return left.map((held) => ({ id: held.id, used: held.units - held.left }))
  }
}
