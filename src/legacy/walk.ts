import { Effect, Ref, Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { type AccountKey, keyOf } from "../move/account.ts"
import type { LegacyRun } from "./LegacyRun.ts"
import type { Poll } from "./Poll.ts"
import { pollBatch } from "./pollBatch.ts"
import { readAccountsToPoll } from "./rows.ts"
import { countBatch } from "./tally.ts"

export interface WalkOptions {
  readonly poll: Poll
  /** The last person of the run before; empty: it begins with everybody. */
  readonly start: string
  /** Accounts of the next batch, by the time and the subrequests that the run has left; 0 where it has to stop. */
  readonly batchSize: Effect.Effect<number>
  /** True when the provider wants more silence than the run can wait for. */
  readonly isSilenced: Effect.Effect<boolean>
  /** Keys of the accounts that are passed over, because they are polled last. */
  readonly suspects: ReadonlySet<string>
  readonly run: Ref.Ref<LegacyRun>
  /** Writes the figures down, before each batch. */
  readonly record: Effect.Effect<void, DatabaseUnavailable>
}

/**
 * Polls all accounts of one provider, batch after batch: from where the run before stopped to the end, then from the beginning up to
 * there. True when it reached all of them. A batch that fails is left to the next run, and stops nobody.
 */
export const walk = Effect.fn("legacy.walk")(function* (options: WalkOptions) {
  const { poll, start, batchSize, isSilenced, suspects, run, record } = options
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
  const note = (range: LegacyRun["underWay"][Provider]) =>
    Ref.update(run, (figures) => ({ ...figures, underWay: { ...figures.underWay, [provider]: range } }))
  // Written down before it begins: the only word of a batch that the run dies in.
  const pollNoted = Effect.fnUntraced(function* (
    batch: ReadonlyArray<AccountKey>,
    range: LegacyRun["underWay"][Provider],
  ) {
    if (batch.length === 0) return null
    yield* note(range)
    yield* Effect.tapError(record, () => note(null))
    const polled = yield* Effect.result(pollBatch(poll, batch))
    yield* note(null)
    return polled
  })

  for (const { after: first, upTo } of ranges) {
    let after = first
    while (true) {
      const size = yield* batchSize
      if ((yield* isSilenced) || size === 0) return false
      const accounts = yield* readAccountsToPoll(database, provider, { after, upTo }, size)
      const last = accounts.at(-1)
      if (last === undefined) break
      const batch = accounts.filter((account) => !suspects.has(keyOf(account)))
      const polled = yield* pollNoted(batch, { after, upTo: last.userId })
      if (polled !== null) yield* Ref.update(run, (figures) => countBatch(figures, batch.length, polled))
      // Then part of the batch is undone, and the next run begins with it.
      if (yield* isSilenced) return false
      const unfinished = polled !== null && Result.isSuccess(polled) ? polled.success.unfinished : null
      if (unfinished !== null) {
        yield* stopAfter(batch[unfinished - 1]?.userId ?? after)
        return false
      }
      after = last.userId
      yield* stopAfter(after)
      if (accounts.length < size) break
    }
  }
  yield* stopAfter(null)
  return true
})
