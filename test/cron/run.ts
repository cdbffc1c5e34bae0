import { env } from "cloudflare:workers"
import { Duration, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import type { CronRun } from "../../src/cron/CronRun.ts"
import { CronSettings, type CronSettingsShape } from "../../src/cron/CronSettings.ts"
import { Metrics } from "../../src/cron/Metrics.ts"
import { Overdue } from "../../src/cron/Overdue.ts"
import { Waker } from "../../src/cron/Waker.ts"
import { wakeOverdue } from "../../src/cron/wakeOverdue.ts"
import type { Reply } from "../../src/rpc/contract.ts"
import { Wake } from "../../src/rpc/methods.ts"
import { now } from "./population.ts"

/** An answer of an object that is awake. */
export const awake: Reply<"wake"> = {
  method: "wake",
  exit: Wake.encodeExit(Exit.succeed({ alarmAt: null, overdueMs: 0 })),
}

/** Objects of which some cannot be woken, and whom cron has tried to wake. */
export class Objects {
  readonly tried: Array<string> = []
  #atOnce = 0
  mostAtOnce = 0
  readonly wake: (userId: string) => Promise<Reply<"wake">>

  constructor(wake: (userId: string, attempt: number) => Promise<Reply<"wake">> = () => Promise.resolve(awake)) {
    this.wake = async (userId) => {
      this.tried.push(userId)
      this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce)
      await scheduler.wait(1)
      this.#atOnce--
      return wake(userId, this.tried.filter((id) => id === userId).length)
    }
  }
}

const metricsRetentionMs = 90 * 24 * 3_600_000

interface RunOptions {
  readonly settings?: Partial<CronSettingsShape>
  /** Where the overdue are read from, and where the figures go. */
  readonly database?: D1Database
  readonly metrics?: D1Database
  /** What happens beside the run: on the test clock, time passes only by this. */
  readonly meanwhile?: Effect.Effect<unknown>
}

/** One run at {@link now}, on the test clock. */
export const run = (objects: Objects, options: RunOptions = {}): Effect.Effect<CronRun, unknown> =>
  Effect.gen(function* () {
    yield* TestClock.setTime(now)
    yield* Effect.forkChild(options.meanwhile ?? Effect.void)
    return yield* wakeOverdue()
  }).pipe(
    Effect.provide(
      Layer.mergeAll(
        Layer.succeed(CronSettings, {
          pageSize: 200,
          concurrency: 20,
          requestLimit: 1500,
          timeLimit: Duration.minutes(10),
          metricsRetentionMs,
          ...options.settings,
        }),
        Overdue.layer(options.database ?? env.DB),
        Metrics.layer(options.metrics ?? env.DB, metricsRetentionMs),
        Waker.layer(({ userId }) => objects.wake(userId)),
      ),
    ),
    Effect.provide(TestClock.layer()),
  )

export const runNow = (...[objects, options]: Parameters<typeof run>) => Effect.runPromise(run(objects, options))

/** Time goes by, in steps that leave room for input and output. */
export const passing = Effect.forever(
  Effect.andThen(
    Effect.promise(() => scheduler.wait(1)),
    TestClock.adjust("1 second"),
  ),
)

/** D1 when it is down. */
export const unreachable = (): D1Database =>
  new Proxy(env.DB, {
    get: () => () => {
      throw new Error("D1 is down")
    },
  })
