import { Effect, Ref, Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { countReasons, type LegacyRun } from "./LegacyRun.ts"
import type { Poll } from "./Poll.ts"
import { pollBatch } from "./pollBatch.ts"
import { readAccountsToPoll } from "./rows.ts"

export interface WalkOptions {
  readonly poll: Poll
  /** The last person of the run before; empty: it begins with everybody. */
  readonly start: string
  /** Accounts of the next batch, by the time and the subrequests that the run has left; 0 where it has to stop. */
  readonly batchSize: Effect.Effect<number>
  /** True when the provider wants more silence than the run can wait for. */
  readonly isSilenced: Effect.Effect<boolean>
  readonly run: Ref.Ref<LegacyRun>
  /** Writes the figures down. */
  readonly record: Effect.Effect<void, DatabaseUnavailable>
}

/**
 * Polls all accounts of one provider, batch after batch: from where the run before stopped to the end, then from the beginning up to
 * there. True when it reached all of them. A batch that fails is left to the next run, and stops nobody.
 */
export const walk = Effect.fn("legacy.walk")(function* (options: WalkOptions) {
  const { poll, start, batchSize, isSilenced, run, record } = options
  const { database, processor } = poll
  const { provider } = processor
  const ranges =
    start === ""
      ? [{ after: "", upTo: null }]
      : [
          { after: start, upTo: null },
          { after: "", upTo: start },
        ]
  const stopAfter = (userId: string | null) =>
    Ref.update(run, (figures) => ({ ...figures, stoppedAfter: { ...figures.stoppedAfter, [provider]: userId } }))

  for (const { after: first, upTo } of ranges) {
    let after = first
    while (true) {
      const size = yield* batchSize
      if ((yield* isSilenced) || size === 0) return false
      const accounts = yield* readAccountsToPoll(database, provider, { after, upTo }, size)
      const last = accounts.at(-1)
      if (last === undefined) break
      const polled = yield* Effect.result(pollBatch(poll, accounts))
      yield* Ref.update(run, (figures): LegacyRun => {
        const found = figures.found + accounts.length
        if (Result.isFailure(polled)) {
          const failures = countReasons(figures.failures, [polled.failure])
          return { ...figures, found, failed: figures.failed + accounts.length, failures }
        }
        const { failed, sourceFailures, items } = polled.success
        return {
          ...figures,
          found,
          polled: figures.polled + polled.success.polled,
          failed: figures.failed + failed.length,
          items: figures.items + items,
          failures: countReasons(figures.failures, [...failed, ...sourceFailures]),
        }
      })
      // Then part of the batch is undone, and the next run begins with it.
      if (yield* isSilenced) return false
      const unfinished = Result.isSuccess(polled) ? polled.success.unfinished : null
      if (unfinished !== null) {
        yield* stopAfter(accounts[unfinished - 1]?.userId ?? after)
        yield* record
        return false
      }
      after = last.userId
      yield* stopAfter(after)
      yield* record
      if (accounts.length < size) break
    }
  }
  yield* stopAfter(null)
  return true
})
