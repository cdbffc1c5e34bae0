import { Clock, Effect, Option, Ref, Schema, Stream } from "effect"
import { Subrequests, withOwnCount } from "../domain/subrequests.ts"
import { type CronRun, countFailed, countFound, countReason, countWoken, emptyTally } from "./CronRun.ts"
import { CronSettings } from "./CronSettings.ts"
import { Metrics } from "./Metrics.ts"
import { Overdue, retries } from "./Overdue.ts"
import { Waker } from "./Waker.ts"

const decodeLast = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      stoppedAfter: Schema.NullOr(Schema.String).pipe(Schema.withDecodingDefaultKey(Effect.succeed(null))),
    }),
  ),
)

/**
 * Wakes every object that should have been heard from, and records the run as a `cron_run`. Cron itself refreshes no token
 * and polls nothing: a woken object repairs its alarm and does its own work.
 *
 * A run may be killed anywhere: a woken object reports a new `expected_by`, so what the next run finds is what this one has not done. One
 * that has to stop, by time or by subrequests, says where, and the next goes on from there: objects that cannot be woken keep nobody
 * else asleep. Fails with `DatabaseUnavailable` when not even the summary could be written.
 */
export const wakeOverdue = Effect.fn("wakeOverdue")(function* () {
  const { pageSize, concurrency, timeLimit, requestLimit } = yield* CronSettings
  const overdue = yield* Overdue
  const waker = yield* Waker
  const metrics = yield* Metrics
  const startedAt = yield* Clock.currentTimeMillis
  const tally = yield* Ref.make(emptyTally)
  const last = decodeLast(yield* Effect.retry(metrics.last("cron_run"), retries))
  const start = Option.match(last, { onNone: () => null, onSome: ({ stoppedAfter }) => stoppedAfter })
  const subrequests = yield* Subrequests
  let reached = start

  const wake = (userId: string) =>
    Ref.update(tally, countFound).pipe(
      Effect.andThen(waker.wake(userId)),
      Effect.matchEffect({
        onSuccess: () => Ref.update(tally, countWoken),
        onFailure: (error) => Ref.update(tally, (counted) => countFailed(counted, error)),
      }),
    )

  const toTheEnd = overdue.find(startedAt, pageSize, { after: start ?? "", upTo: null })
  const all =
    start === null ? toTheEnd : Stream.concat(toTheEnd, overdue.find(startedAt, pageSize, { after: "", upTo: start }))
  let isSpent = false
  const walked = yield* all.pipe(
    Stream.takeWhile((userId) => {
      isSpent = subrequests.made >= requestLimit
      if (!isSpent) reached = userId
      return !isSpent
    }),
    Stream.mapEffect(wake, { concurrency, unordered: true }),
    Stream.runDrain,
    Effect.map(() => !isSpent),
    Effect.catch((error) =>
      Effect.as(
        Ref.update(tally, (counted) => countReason(counted, error)),
        false,
      ),
    ),
    Effect.timeoutOption(timeLimit),
  )

  const endedAt = yield* Clock.currentTimeMillis
  const isComplete = Option.getOrElse(walked, () => false)
  const run: CronRun = {
    ...(yield* Ref.get(tally)),
    durationMs: endedAt - startedAt,
    isComplete,
    stoppedAfter: isComplete ? null : reached,
  }
  yield* metrics.record("cron_run", endedAt, run)
  const { stoppedAfter: _, ...said } = run
  yield* Effect.logInfo("cron_run", said)
  return run
}, withOwnCount)
