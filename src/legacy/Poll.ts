import type { Effect } from "effect"
import type { BatchProcessor } from "./BatchProcessor.ts"
import type { LegacySettingsShape } from "./LegacySettings.ts"
import type { ReadListing } from "./Listings.ts"
import type { Emptied } from "./library.ts"
import type { TokenRefreshService } from "./TokenRefreshService.ts"

/** Everything that a run needs for the accounts of one provider. */
export interface Poll {
  readonly processor: BatchProcessor
  readonly settings: LegacySettingsShape
  readonly database: D1Database
  readonly prepare: TokenRefreshService["Service"]["prepare"]
  readonly withToken: TokenRefreshService["Service"]["withToken"]
  /** True while the run has time and subrequests for another question. */
  readonly mayAsk: Effect.Effect<boolean>
  /** The listings of the run. */
  readonly read: ReadListing
  readonly emptied: Emptied
  /** Item counts that the run has read 50 at a time; `null`: the provider has no such source. */
  readonly counts: Map<string, number | null>
}
