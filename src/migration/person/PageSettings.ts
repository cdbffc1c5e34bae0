import { Context, type Effect } from "effect"

/** What one page works with. */
export interface PageSettingsShape {
  /** Marks the people whom this page has in hand: whoever takes them in hand later makes what this one says of them too late. */
  readonly lease: string
  /** Objects asked at once. */
  readonly concurrency: number
  /** How long a hand-over waits for refreshes that D1's side has under way, in milliseconds; each is bounded far below a claim. */
  readonly claimWaitMs: number
  /** Told of every answer of an object. */
  readonly onAnswer: Effect.Effect<void>
}

export class PageSettings extends Context.Service<PageSettings, PageSettingsShape>()("pollen/migration/PageSettings") {}
