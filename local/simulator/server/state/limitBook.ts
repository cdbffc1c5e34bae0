import type { Clock } from "./clock.ts"
import { Limits } from "./limits.ts"

/** Quotas and rate limits at one provider, by the developer who has them. */
export class LimitBook {
  private readonly limits = new Map<string, Limits>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  of(developer: string): Limits {
    const known = this.limits.get(developer)
    if (known !== undefined) return known
    const made = new Limits(this.clock)
    this.limits.set(developer, made)
    return made
  }
}
