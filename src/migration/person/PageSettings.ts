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

/**
 * How long a hand-over waits for refreshes under way, in milliseconds. A refresh waits 10 s for the provider; where `REQUEST_TIMEOUT`
 * lets it wait longer than this, the step fails with `refresh_under_way`, and is taken again.
 */
const claimWaitMs = 15_000

/** The settings of one attempt at a page, under a lease of its own: an earlier attempt that is still alive changes nothing any more. */
export const newPageSettings = (given: Pick<PageSettingsShape, "concurrency" | "onAnswer">): PageSettingsShape => ({
  ...given,
  lease: crypto.randomUUID(),
  claimWaitMs,
})

export class PageSettings extends Context.Service<PageSettings, PageSettingsShape>()("pollen/migration/PageSettings") {}
