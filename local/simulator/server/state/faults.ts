import type { Fault, FaultRule, RandomFaultKind, RandomFaultsInput } from "../../model.ts"
import type { Clock } from "./clock.ts"
import { type Described, matches } from "./matching.ts"
import type { Random } from "./random.ts"

interface Armed {
  readonly id: string
  readonly rule: FaultRule
  /** Epoch milliseconds. */
  readonly endsAt: number
  left: number
}

export interface Hit {
  readonly fault: Fault
  readonly afterProcessing: boolean
}

const randomFault: Record<RandomFaultKind, Fault> = {
  status: { type: "status", status: 500 },
  reset: { type: "reset" },
  truncated: { type: "truncated" },
  html: { type: "html" },
  slow: { type: "slow", ms: 20 },
}

/** Rules by which requests fail. Those for one person lie apart, so that many tests with many rules stay fast. */
export class Faults {
  private readonly common: Array<Armed> = []
  private readonly personal = new Map<string, Array<Armed>>()
  private readonly clock: Clock
  private readonly random: Random
  private made = 0

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.random = random
  }

  add(rule: FaultRule): string {
    this.made++
    const armed = {
      id: `fault-${this.made}`,
      rule,
      endsAt: this.clock.now() + (rule.forMs ?? Number.POSITIVE_INFINITY),
      left: rule.times ?? Number.POSITIVE_INFINITY,
    }
    const person = rule.match.person
    if (person === undefined) this.common.push(armed)
    else this.personal.set(person, [...(this.personal.get(person) ?? []), armed])
    return armed.id
  }

  addRandom({ rate, kinds, match }: RandomFaultsInput): Array<string> {
    const mix = kinds ?? (["status", "reset", "truncated", "html", "slow"] as const)
    // Each rule sees what the earlier ones let pass, so the later ones draw a larger part of less.
    const each = rate / mix.length
    return mix.map((kind, index) => {
      const passed = 1 - index * each
      return this.add({ match: match ?? {}, fault: randomFault[kind], rate: passed <= 0 ? 1 : each / passed })
    })
  }

  clear(ids: ReadonlyArray<string> | undefined): void {
    const isLeft = (armed: Armed) => ids !== undefined && !ids.includes(armed.id)
    this.common.splice(0, this.common.length, ...this.common.filter(isLeft))
    for (const [person, rules] of this.personal) {
      const left = rules.filter(isLeft)
      if (left.length === 0) this.personal.delete(person)
      else this.personal.set(person, left)
    }
  }

  /** Draws the fault for a request, and spends one of its times. */
  draw(request: Described): Hit | undefined {
    if (request.provider === null) return undefined
    const own = request.person === null ? undefined : this.personal.get(request.person)
    return (own && this.drawFrom(own, request)) ?? this.drawFrom(this.common, request)
  }

  private drawFrom(rules: ReadonlyArray<Armed>, request: Described): Hit | undefined {
    for (const armed of rules) {
      if (armed.left <= 0 || this.clock.now() >= armed.endsAt || !matches(armed.rule.match, request)) continue
      if (armed.rule.fault.type === "invalid_grant" && request.kind !== "token") continue
      if (armed.rule.rate !== undefined && this.random.next() >= armed.rule.rate) continue
      armed.left--
      return { fault: armed.rule.fault, afterProcessing: armed.rule.afterProcessing ?? false }
    }
    return undefined
  }
}
