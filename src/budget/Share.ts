import type { BudgetLimits } from "../domain/budget.ts"

/** A person's part of a window, and of a day within an hour, while there is little: a fraction, and requests at least. */
const part = 20
const least = 20
const hourMs = 3_600_000

/** What one object has taken of late: while there is little, nobody's many sources keep another's few back. */
export class Share {
  #endsAt = 0
  #taken = 0

  /** Counts a request; or says when there is another one (epoch milliseconds), where little is left for all. */
  take({ rate, windowMs, daily }: BudgetLimits, isScarce: boolean, now: number): number | null {
    const lastsMs = rate > 0 ? windowMs : hourMs
    if (now >= this.#endsAt || now < this.#endsAt - lastsMs) {
      this.#endsAt = now + lastsMs
      this.#taken = 0
    }
    if (isScarce && this.#taken >= Math.max(least, Math.floor((rate > 0 ? rate : daily) / part))) return this.#endsAt
    this.#taken += 1
    return null
  }
}
