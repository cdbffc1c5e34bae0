import type { Effect } from "effect"
import type { Provider } from "../domain/provider.ts"
import type { AccessToken, ProviderClient } from "../providers/provider.ts"

/** What the legacy poller needs of a provider to poll a batch of accounts. */
export interface BatchProcessor {
  readonly provider: Provider
  readonly client: ProviderClient
  /**
   * Reads the item counts of up to 50 sources (`null`: the provider has no such source) in one request; `null` where the provider has
   * no endpoint for it, or does not let this application use it any more.
   */
  readonly counts:
    | ((token: AccessToken, ids: ReadonlyArray<string>) => Effect.Effect<ReadonlyMap<string, number | null> | null>)
    | null
}

/** Most ids that a provider takes at once. */
export const idsAtOnce = 50
