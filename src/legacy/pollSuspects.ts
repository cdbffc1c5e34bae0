import { Clock, Effect, Ref, Result } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import { PollDied } from "./error.ts"
import { countReasons, type LegacyRun, type Suspect } from "./LegacyRun.ts"
import type { Poll } from "./Poll.ts"
import { pollBatch } from "./pollBatch.ts"
import { isDue } from "./suspects.ts"
import { countBatch } from "./tally.ts"

interface SuspectsOptions {
  readonly poll: Poll
  readonly suspects: ReadonlyArray<Suspect>
  /** True when the provider wants more silence than the run can wait for. */
  readonly isSilenced: Effect.Effect<boolean>
  readonly run: Ref.Ref<LegacyRun>
  /** Writes the figures down, before each account. */
  readonly record: Effect.Effect<void, DatabaseUnavailable>
}

const isSame = (one: Suspect, other: Suspect) => one.provider === other.provider && one.userId === other.userId

/**
 * Polls the suspects of one provider, one by one. One that the run comes back from is none any more; one that it dies of has been noted,
 * and is left alone for a day. True when it reached all of them.
 */
export const pollSuspects = Effect.fn("legacy.pollSuspects")(function* (options: SuspectsOptions) {
  const { poll, suspects, isSilenced, run, record } = options
  const change = (suspect: Suspect, to: ReadonlyArray<Suspect>) =>
    Ref.update(run, (figures) => ({
      ...figures,
      suspects: [...figures.suspects.filter((other) => !isSame(other, suspect)), ...to],
    }))

  for (const suspect of suspects) {
    const now = yield* Clock.currentTimeMillis
    if (!isDue(suspect, now)) {
      yield* Ref.update(run, (figures) => ({
        ...figures,
        found: figures.found + 1,
        failed: figures.failed + 1,
        failures: countReasons(figures.failures, [new PollDied(suspect)]),
      }))
      continue
    }
    if ((yield* isSilenced) || !(yield* poll.mayAsk)) return false
    yield* change(suspect, [{ ...suspect, triedAt: now }])
    yield* record
    const polled = yield* Effect.result(pollBatch(poll, [suspect]))
    yield* Ref.update(run, (figures) => countBatch(figures, 1, polled))
    const isUnfinished = (yield* isSilenced) || (Result.isSuccess(polled) && polled.success.unfinished !== null)
    // It came back, so that it may go on in the next run.
    yield* change(suspect, isUnfinished ? [{ ...suspect, triedAt: null }] : [])
    if (isUnfinished) return false
  }
  return true
})
