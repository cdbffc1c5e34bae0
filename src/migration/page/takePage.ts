import { Effect } from "effect"
import type { StartedRun } from "../runs/parameters.ts"
import { leasePeople } from "./leasePeople.ts"
import { type PageStart, planPage } from "./planPage.ts"
import { record } from "./record.ts"
import { setCeilings } from "./setCeilings.ts"
import { logFailures, takeSteps } from "./takeSteps.ts"

/** One page of a run. */
export interface Page extends PageStart {
  readonly pass: number
}

/** What a page came to. */
export interface PageResult {
  readonly taken: number
  readonly failed: number
  /** Steps that the next pass begins again at once. */
  readonly overtaken: number
  /** When the first failed step is due again: epoch milliseconds. */
  readonly dueAt: number | null
  readonly cursor: string
  readonly isEnd: boolean
  readonly obstacle: "halted" | "stopped" | null
  /** When the page was planned: epoch milliseconds. */
  readonly at: number
}

/**
 * Takes the people of a page one step each: plans, leases, takes the steps and records them. May be killed at any await: run again from
 * the same cursor, it does what is left and nothing twice. Fails only where D1 does not answer.
 */
export const takePage = Effect.fn("takePage")(function* (run: StartedRun, page: Page) {
  const { steps, ceilings, cursor, isEnd, obstacle, dueAt, at } = yield* planPage(run, page)
  const place = { dueAt, cursor, isEnd, obstacle, at }
  if (obstacle !== null) return { taken: 0, failed: 0, overtaken: 0, ...place } satisfies PageResult
  yield* setCeilings(ceilings, run.id)
  const taken = yield* takeSteps(yield* leasePeople(steps, run.id), run.id)
  yield* logFailures(taken)
  const tally = yield* record(taken, { runId: run.id, at: { pass: page.pass, cursor } })
  return { ...tally, ...place } satisfies PageResult
})
