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
  /** True while the run has time and requests left for another batch. */
  readonly mayGoOn: Effect.Effect<boolean>
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
  const { poll, start, mayGoOn, isSilenced, run, record } = options
  const { database, settings, processor } = poll
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
      if ((yield* isSilenced) || !(yield* mayGoOn)) return false
      const accounts = yield* readAccountsToPoll(database, provider, { after, upTo }, settings.batchSize)
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
      after = last.userId
      yield* stopAfter(after)
      yield* record
      if (accounts.length < settings.batchSize) break
    }
  }
  yield* stopAfter(null)
  return true
})
