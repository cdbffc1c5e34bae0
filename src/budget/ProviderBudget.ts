import { DurableObject } from "cloudflare:workers"
import { Clock, Effect, Layer } from "effect"
import { emptyLedger, type Ledger, lease, pause, recentUnits, settle } from "../domain/budget.ts"
import { isOutageOfGrants, noRefusals, type Refusals, refusedGrant } from "../domain/outage.ts"
import { Lease, Pause, RefusedGrant } from "../rpc/budget.ts"
import type { CommonError, Contract, Reply, Wire } from "../rpc/contract.ts"
import { serve } from "../rpc/serve.ts"
import { readBudgetSettings, shardOf } from "./settings.ts"

const ledgerKey = "ledger"
const refusalsKey = "refusals"

/**
 * What the application may ask of one provider with one OAuth client, or a shard's part of it; named as `budgetName` says. Those who ask
 * get blocks of requests, so that no rate and no daily quota is exceeded; what the provider asks one of them for reaches all; and it sees
 * whether a provider refuses one person's grant or everybody's. It knows of no person but a number.
 *
 * What it keeps is written before its answer leaves: a restart gives nothing twice.
 */
export class ProviderBudget<Env extends object = object> extends DurableObject<Env> {
  /** Where a test puts another clock. */
  protected layer(): Layer.Layer<never> {
    return Layer.empty
  }

  readonly #serve = <Name extends string, P, W, A, E>(
    contract: Contract<Name, P, W, A, E>,
    wire: W,
    handler: (payload: P, now: number) => Effect.Effect<A, E | CommonError>,
  ): Promise<Reply<Name>> =>
    Effect.runPromise(
      serve(contract, (payload: P) => Effect.flatMap(Clock.currentTimeMillis, (now) => handler(payload, now)))(
        wire,
      ).pipe(Effect.provide(this.layer())),
    )

  get #ledger(): Ledger {
    return this.ctx.storage.kv.get<Ledger>(ledgerKey) ?? emptyLedger
  }

  /** Takes back what was not used, and leases a block. */
  lease(payload: Wire<typeof Lease>) {
    return this.#serve(Lease, payload, ({ provider, wanted, isRequested, settled }, now) =>
      Effect.map(readBudgetSettings(this.env), (settings) => {
        const limits = shardOf(settings.limits[provider], settings.shards)
        const before = settled.reduce((ledger, used) => settle(ledger, limits, used, now), this.#ledger)
        if (wanted === 0) {
          this.ctx.storage.kv.put(ledgerKey, before)
          return { lease: null, pause: null }
        }
        const { ledger, leased } = lease(before, limits, { wanted, isRequested }, now)
        this.ctx.storage.kv.put(ledgerKey, ledger)
        return "units" in leased ? { lease: leased, pause: null } : { lease: null, pause: leased }
      }),
    )
  }

  /** Remembers a pause, or ends it. */
  pause(payload: Wire<typeof Pause>) {
    return this.#serve(Pause, payload, ({ provider, pause: asked }, now) =>
      Effect.map(readBudgetSettings(this.env), (settings) => {
        const limits = shardOf(settings.limits[provider], settings.shards)
        const ledger = this.#ledger
        this.ctx.storage.kv.put(
          ledgerKey,
          asked === null ? { ...ledger, pause: null } : pause(ledger, limits, asked, now),
        )
        return {}
      }),
    )
  }

  /** Counts people whose grants are refused. */
  refusedGrant(payload: Wire<typeof RefusedGrant>) {
    return this.#serve(RefusedGrant, payload, ({ person }, now) =>
      Effect.map(readBudgetSettings(this.env), ({ shards }) => {
        const requests = recentUnits(this.#ledger) * shards
        const before = this.ctx.storage.kv.get<Refusals>(refusalsKey) ?? noRefusals
        const refusals = refusedGrant(before, person, { now, requests })
        this.ctx.storage.kv.put(refusalsKey, refusals)
        return { isOutage: isOutageOfGrants(refusals, now) }
      }),
    )
  }
}
