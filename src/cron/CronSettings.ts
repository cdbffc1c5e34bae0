import { Config, ConfigProvider, Context, Duration, Effect, Layer } from "effect"
import { Misconfigured } from "../domain/error.ts"
import type { CronEnv } from "./env.ts"

export interface CronSettingsShape {
  /** People per D1 query. */
  readonly pageSize: number
  /** Objects woken at the same time. */
  readonly concurrency: number
  /** After which a run stops where it is. Cloudflare ends a scheduled worker after 15 minutes, without a word. */
  readonly timeLimit: Duration.Duration
}

const variables = Config.all({
  pageSize: Config.Int("CRON_PAGE_SIZE").pipe(Config.withDefault(200)),
  concurrency: Config.Int("CRON_CONCURRENCY").pipe(Config.withDefault(20)),
  timeLimit: Config.Duration("CRON_TIME_LIMIT").pipe(Config.withDefault(Duration.minutes(10))),
})

const isBetween = (value: number, minimum: number, maximum: number) => value >= minimum && value <= maximum

/** What the operator decided about cron. A variable that makes no sense is `Misconfigured`, and says what would. */
export class CronSettings extends Context.Service<CronSettings, CronSettingsShape>()("pollen/cron/CronSettings") {
  static readonly layer = (env: CronEnv): Layer.Layer<CronSettings, Misconfigured> =>
    Layer.effect(
      CronSettings,
      Effect.gen(function* () {
        const read = yield* variables
          .parse(ConfigProvider.fromUnknown(env))
          .pipe(
            Effect.mapError((error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` })),
          )
        if (!isBetween(read.pageSize, 1, 1000)) {
          return yield* new Misconfigured({ problem: "CRON_PAGE_SIZE must be 1 to 1000" })
        }
        if (!isBetween(read.concurrency, 1, 1000)) {
          return yield* new Misconfigured({ problem: "CRON_CONCURRENCY must be 1 to 1000" })
        }
        if (!isBetween(Duration.toMinutes(read.timeLimit), 0, 14)) {
          return yield* new Misconfigured({ problem: "CRON_TIME_LIMIT must be at most 14 minutes" })
        }
        return read
      }),
    )
}
