import { Effect } from "effect"
import { UserSubscriptionManager as Live, type ProgressCallback } from "../../../src/object/UserSubscriptionManager.ts"
import type { Wire } from "../../../src/rpc/contract.ts"
import type { PollNow, RefreshTokens } from "../../../src/rpc/methods.ts"
import type { D1Counts } from "../operations.ts"
import { countedDatabase, newCounts } from "./countedDatabase.ts"
import { Echo, type PlainEcho } from "./echo.ts"
import type { BenchEnv } from "./env.ts"

/** By person, beside the objects: the counts outlive an object that is evicted. */
const countsOf = new Map<string, ReturnType<typeof newCounts>>()

/** pollen's object as it is, with a D1 binding that counts and the two methods whose ways are compared. */
export class UserSubscriptionManager extends Live<BenchEnv> {
  readonly #counts: ReturnType<typeof newCounts>

  constructor(state: DurableObjectState, env: BenchEnv) {
    const name = state.id.name ?? ""
    const counts = countsOf.get(name) ?? newCounts()
    countsOf.set(name, counts)
    counts.starts += 1
    super(state, { ...env, DB: countedDatabase(env.DB, counts) })
    this.#counts = counts
  }

  override pollNow(payload: Wire<typeof PollNow>, onProgress?: ProgressCallback) {
    this.#counts.arrivals += 1
    return super.pollNow(payload, onProgress)
  }

  override refreshTokens(payload: Wire<typeof RefreshTokens>) {
    this.#counts.arrivals += 1
    return super.refreshTokens(payload)
  }

  typedEcho(payload: Wire<typeof Echo>) {
    return this.serve(Echo, payload, ({ userId, text, at }) => Effect.succeed({ userId, text, at }))
  }

  async bareEcho({ userId, text, at }: PlainEcho): Promise<PlainEcho> {
    return { userId, text, at }
  }

  async leave(): Promise<void> {
    this.ctx.abort()
  }

  async counts(): Promise<D1Counts> {
    return this.#counts
  }
}
