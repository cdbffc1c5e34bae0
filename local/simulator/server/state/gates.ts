import type { HoldOptions, RequestMatch } from "../../model.ts"
import { type Described, matches } from "./matching.ts"
import { Refusal } from "./refusal.ts"
import { Waiters } from "./waiters.ts"

interface Gate {
  readonly match: RequestMatch
  readonly afterProcessing: boolean
  left: number
  readonly parked: Set<() => void>
  readonly waiters: Waiters
}

/** Places where requests wait until a test has seen them there. */
export class Gates {
  private readonly gates = new Map<string, Gate>()
  private made = 0

  add(match: RequestMatch, options: HoldOptions): string {
    this.made++
    const id = `gate-${this.made}`
    this.gates.set(id, {
      match,
      afterProcessing: options.afterProcessing ?? false,
      left: options.times ?? Number.POSITIVE_INFINITY,
      parked: new Set(),
      waiters: new Waiters(),
    })
    return id
  }

  release(id: string): void {
    const gate = this.get(id)
    this.gates.delete(id)
    for (const resume of gate.parked) resume()
    gate.parked.clear()
  }

  releaseAll(): void {
    for (const id of [...this.gates.keys()]) this.release(id)
  }

  waitFor(id: string, count: number, timeoutMs: number): Promise<void> {
    const gate = this.get(id)
    return gate.waiters.until(
      () => gate.parked.size >= count,
      timeoutMs,
      () => `${id} holds ${gate.parked.size} of ${count}`,
    )
  }

  /** `undefined` where nothing holds the request; else resolves at its release. `abandoned` fires when its client left. */
  park(request: Described, afterProcessing: boolean, abandoned: AbortSignal): Promise<void> | undefined {
    if (request.provider === null) return undefined
    for (const gate of this.gates.values()) {
      if (gate.left <= 0 || gate.afterProcessing !== afterProcessing || !matches(gate.match, request)) continue
      gate.left--
      return new Promise((resolve) => {
        const leave = () => {
          gate.parked.delete(leave)
          resolve()
        }
        gate.parked.add(leave)
        abandoned.addEventListener("abort", leave, { once: true })
        gate.waiters.look()
      })
    }
    return undefined
  }

  private get(id: string): Gate {
    const gate = this.gates.get(id)
    if (gate === undefined) throw new Refusal(`no gate ${id}`)
    return gate
  }
}
