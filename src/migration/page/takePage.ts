import { Effect, Result } from "effect"
import { StepFailed } from "../person/reason.ts"
import { type From, look, type RunInHand } from "./look.ts"
import { keepBelow, markInHand, record } from "./record.ts"
import { takeSteps } from "./takeSteps.ts"

/** Where a page is in its run. */
export interface PageOf extends From {
  readonly pass: number
  /** People whose grant is in somebody else's rows as well. */
  readonly duplicates: ReadonlyArray<string>
}

/** What a page came to. */
export interface PageResult {
  readonly taken: number
  readonly failed: number
  /** Steps that begin again at once, in the next pass. */
  readonly overtaken: number
  /** When the first of those is due who have failed; epoch milliseconds. */
  readonly dueAt: number | null
  readonly cursor: string
  readonly isEnd: boolean
  readonly obstacle: "halted" | "stopped" | null
  /** When it was looked: epoch milliseconds. */
  readonly at: number
}

/** Failures of a page that the log tells in words. */
const failuresLogged = 5

/**
 * Takes a page of people one step each: looks, marks them as in hand, does what leads to the next stage, and records what came of it.
 * May be killed at any await: run again from the same cursor it finds what is left to do, and does no more than that. Fails only where
 * D1 does not answer.
 */
export const takePage = Effect.fn("takePage")(function* (run: RunInHand, page: PageOf) {
  const found = yield* look(run, page)
  const { cursor, isEnd, obstacle, dueAt, at } = found
  const place = { dueAt, cursor, isEnd, obstacle, at }
  if (obstacle !== null) return { taken: 0, failed: 0, overtaken: 0, ...place } satisfies PageResult
  yield* keepBelow(found.toKeep, run.id)
  const inHand = yield* markInHand(found.toMove, run.id)
  const outcomes = yield* takeSteps(inHand, new Set(page.duplicates))
  const failures = outcomes.flatMap(({ inHand, outcome }) =>
    Result.isFailure(outcome) && outcome.failure instanceof StepFailed ? [{ inHand, failure: outcome.failure }] : [],
  )
  yield* Effect.forEach(failures.slice(0, failuresLogged), ({ inHand: { userId, step }, failure }) => {
    const { from, to } = step.transition
    return Effect.logWarning(`${userId} was not taken from ${from} to ${to}`, failure.message)
  })
  const tally = yield* record(outcomes, { runId: run.id, pass: page.pass, cursor })
  return { ...tally, ...place } satisfies PageResult
})
