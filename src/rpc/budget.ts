import { Schema } from "effect"
import { PauseReason } from "../domain/pause.ts"
import { Provider } from "../domain/provider.ts"
import { EpochMillis } from "../domain/token.ts"
import { contract, type Reply, type Wire } from "./contract.ts"

const provider = { provider: Provider }

/** Most requests of one lease. */
const leasedAtOnce = 1000

/**
 * Asks for a block of requests. `settled`: leases of before, and how much of each was used, which is to be said once a lease is not used any
 * more. The answer has a lease, which lasts for `lastsMs` from the call on, or says until when nothing is to be asked, and why.
 */
export const Lease = contract("lease", {
  payload: Schema.Struct({
    ...provider,
    wanted: Schema.Int.pipe(Schema.check(Schema.isBetween({ minimum: 0, maximum: leasedAtOnce }))),
    /** Whether somebody waits for it: such requests have a share of their own. */
    isRequested: Schema.Boolean,
    settled: Schema.Array(Schema.Struct({ id: Schema.Int, used: Schema.Int })).pipe(
      Schema.check(Schema.isMaxLength(leasedAtOnce)),
    ),
  }),
  success: Schema.Struct({
    lease: Schema.NullOr(
      Schema.Struct({ id: Schema.Int, units: Schema.Int, lastsMs: Schema.Int, isScarce: Schema.Boolean }),
    ),
    pause: Schema.NullOr(Schema.Struct({ reason: PauseReason, retryAt: EpochMillis })),
  }),
  error: Schema.Never,
  // A lease that did not arrive counts as used until its end.
  idempotent: false,
})

/** Tells everybody what the provider asked the application for; `null` ends it. */
export const Pause = contract("pause", {
  payload: Schema.Struct({
    ...provider,
    pause: Schema.NullOr(Schema.Struct({ reason: PauseReason, retryAt: EpochMillis })),
  }),
  success: Schema.Struct({}),
  error: Schema.Never,
  idempotent: true,
})

/** Tells that a grant was refused, and asks whether so many were that it is an outage. `person` stands for whose it is. */
export const RefusedGrant = contract("refusedGrant", {
  payload: Schema.Struct({ ...provider, person: Schema.Int }),
  success: Schema.Struct({ isOutage: Schema.Boolean }),
  error: Schema.Never,
  idempotent: true,
})

/** The budgets, as objects are bound to them. */
export interface BudgetNamespace {
  readonly idFromName: (name: string) => DurableObjectId
  readonly get: (id: DurableObjectId) => {
    readonly lease: (wire: Wire<typeof Lease>) => PromiseLike<Reply<"lease">>
    readonly pause: (wire: Wire<typeof Pause>) => PromiseLike<Reply<"pause">>
    readonly refusedGrant: (wire: Wire<typeof RefusedGrant>) => PromiseLike<Reply<"refusedGrant">>
  }
}
