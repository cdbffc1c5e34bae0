import type { QuotaState } from "../../model.ts"
import type { Clock } from "./clock.ts"
import { nextPacificMidnight } from "./pacific.ts"

/** Units a day that a YouTube project has unless it asked for more. */
const dailyUnits = 10_000
const windowMs = 30_000
/** The day on which summer time ends. */
const longestDayMs = 25 * 3_600_000

/** One application's quota by day and limit by half minute, at one provider. */
export class Limits {
  private readonly clock: Clock
  private remaining: number | null = null
  private spent = 0
  private resetsAt: number
  private requestsPerWindow: number | null = null
  /** Epoch milliseconds of the requests let through in the last window. */
  private recent: Array<number> = []

  constructor(clock: Clock) {
    this.clock = clock
    this.resetsAt = nextPacificMidnight(clock.now())
  }

  setQuota(remaining: number | null): void {
    this.turnDay()
    this.remaining = remaining
  }

  quota(): QuotaState {
    this.turnDay()
    return { remaining: this.remaining, resetsAt: this.resetsAt, spent: this.spent }
  }

  /** Takes units; false, and nothing taken, where too few are left. */
  spend(units: number): boolean {
    this.turnDay()
    if (this.remaining !== null) {
      if (this.remaining < units) return false
      this.remaining -= units
    }
    this.spent += units
    return true
  }

  secondsToReset(): number {
    this.turnDay()
    return Math.max(1, Math.ceil((this.resetsAt - this.clock.now()) / 1000))
  }

  setRateLimit(requestsPerWindow: number | null): void {
    this.requestsPerWindow = requestsPerWindow
    this.recent = []
  }

  /** Lets a request through (`0`) or says after how many seconds there is room again. */
  admit(): number {
    if (this.requestsPerWindow === null) return 0
    const now = this.clock.now()
    const inWindow = this.recent.findIndex((at) => at > now - windowMs)
    this.recent = inWindow === -1 ? [] : this.recent.slice(inWindow)
    if (this.recent.length < this.requestsPerWindow) {
      this.recent.push(now)
      return 0
    }
    const oldest = this.recent[0] ?? now
    return Math.max(1, Math.ceil((oldest + windowMs - now) / 1000))
  }

  private turnDay(): void {
    const now = this.clock.now()
    // The second half: control can also set the clock back.
    if (now < this.resetsAt && now >= this.resetsAt - longestDayMs) return
    this.resetsAt = nextPacificMidnight(now)
    this.spent = 0
    if (this.remaining !== null) this.remaining = dailyUnits
  }
}
