import { Clock, Effect, Option, Ref, Stream } from "effect"
import { type CronRun, countFailed, countFound, countReason, countWoken, emptyTally } from "./CronRun.ts"
import { CronSettings } from "./CronSettings.ts"
import { Metrics } from "./Metrics.ts"
import { Overdue } from "./Overdue.ts"
import { Waker } from "./Waker.ts"

/**
 * Wakes every object that should have been heard from, and records the run as a `cron_run`. Cron itself refreshes no token
 * and polls nothing: a woken object repairs its alarm and does its own work.
 *
 * A run needs no state, and may be killed anywhere: a woken object reports a new `expected_by`, so what the next run finds
 * is what this one has not done. Fails with `DatabaseUnavailable` when not even the summary could be written.
 */
export const wakeOverdue = Effect.fn("wakeOverdue")(function* () {
  const { pageSize, concurrency, timeLimit } = yield* CronSettings
  const overdue = yield* Overdue
  const waker = yield* Waker
  const metrics = yield* Metrics
  const startedAt = yield* Clock.currentTimeMillis
  const tally = yield* Ref.make(emptyTally)

  const wake = (userId: string) =>
    Ref.update(tally, countFound).pipe(
      Effect.andThen(waker.wake(userId)),
      Effect.matchEffect({
        onSuccess: () => Ref.update(tally, countWoken),
        onFailure: (error) => Ref.update(tally, (counted) => countFailed(counted, error)),
      }),
    )

  const walked = yield* overdue.find(startedAt, pageSize).pipe(
    Stream.mapEffect(wake, { concurrency, unordered: true }),
    Stream.runDrain,
    Effect.as(true),
    Effect.catch((error) =>
      Effect.as(
        Ref.update(tally, (counted) => countReason(counted, error)),
        false,
      ),
    ),
    Effect.timeoutOption(timeLimit),
  )

  const endedAt = yield* Clock.currentTimeMillis
  const run: CronRun = {
    ...(yield* Ref.get(tally)),
    durationMs: endedAt - startedAt,
    isComplete: Option.getOrElse(walked, () => false),
  }
  yield* metrics.record("cron_run", endedAt, run)
  yield* Effect.logInfo("cron_run", run)
  return run
})
