import { Context, type Effect } from "effect"

/** The settings of one page. */
export interface PageSettingsShape {
  /** Written to the people of this page. Once another page has written its own, this one can no longer record their steps. */
  readonly lease: string
  /** Objects called at once. */
  readonly concurrency: number
  /** How long a hand-over waits for D1's refreshes under way, in milliseconds. A refresh takes much less time than its claim lasts. */
  readonly claimWaitMs: number
  /** Runs after every answer of an object. */
  readonly onAnswer: Effect.Effect<void>
}

export class PageSettings extends Context.Service<PageSettings, PageSettingsShape>()("pollen/migration/PageSettings") {}
