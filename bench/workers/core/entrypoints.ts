import { WorkerEntrypoint } from "cloudflare:workers"
import { Effect } from "effect"
import type { Wire } from "../../../src/rpc/contract.ts"
import { forward } from "../../../src/rpc/forward.ts"
import type { D1Counts, PlainGrant, Side } from "../operations.ts"
import { Echo, type PlainEcho } from "./echo.ts"
import type { BenchEnv } from "./env.ts"

/** What the benchmark calls beside pollen's own entrypoints. */
export class ComparedEntrypoint extends WorkerEntrypoint<BenchEnv> {
  /** As every method of pollen's entrypoints is written. */
  typedEcho(payload: Wire<typeof Echo>) {
    const { USERS } = this.env
    return Effect.runPromise(forward(Echo, payload, (userId) => USERS.get(USERS.idFromName(userId)).typedEcho(payload)))
  }

  /** As one would write it without pollen. */
  bareEcho(payload: PlainEcho): Promise<PlainEcho> {
    return this.env.USERS.get(this.env.USERS.idFromName(payload.userId)).bareEcho(payload)
  }

  counts(userId: string): Promise<D1Counts> {
    return this.env.USERS.get(this.env.USERS.idFromName(userId)).counts()
  }

  setToken(grant: PlainGrant): Promise<void> {
    return this.#handwritten(grant.userId).setToken(grant)
  }

  pollNow(userId: string): Promise<{ delivered: number }> {
    return this.#handwritten(userId).pollNow(userId)
  }

  /** A call that the object ends with itself fails, as it should. */
  async evict(side: Side, userId: string): Promise<void> {
    const object = side === "pollen" ? this.env.USERS.get(this.env.USERS.idFromName(userId)) : this.#handwritten(userId)
    await object.leave().catch(() => undefined)
  }

  #handwritten(userId: string) {
    return this.env.HANDWRITTEN_USERS.get(this.env.HANDWRITTEN_USERS.idFromName(userId))
  }
}
