import { Config, Context, Duration, Effect, Layer } from "effect"
import type { Misconfigured } from "../domain/error.ts"
import { checkBounds, checkDurations, millis, readSettings, timeLimitBounds, wholeNumber } from "../domain/settings.ts"
import type { CronEnv } from "./env.ts"

export interface CronSettingsShape {
  /** People that one D1 query looks at. */
  readonly pageSize: number
  /** Objects woken at the same time. */
  readonly concurrency: number
  /** Subrequests that waking may make in a run. Cloudflare allows 10,000 to an invocation. */
  readonly requestLimit: number
  /** After which a run stops where it is. Cloudflare ends a scheduled worker after 15 minutes, without a word. */
  readonly timeLimit: Duration.Duration
  /** How long the figures of runs are kept, in milliseconds. */
  readonly metricsRetentionMs: number
}

const variables = Config.all({
  pageSize: wholeNumber("CRON_PAGE_SIZE", 5000),
  concurrency: wholeNumber("CRON_CONCURRENCY", 20),
  requestLimit: wholeNumber("CRON_REQUEST_LIMIT", 1500),
  timeLimit: Config.Duration("CRON_TIME_LIMIT").pipe(Config.withDefault(Duration.minutes(10))),
  metricsRetentionMs: millis("METRICS_RETENTION", "90 days"),
})

/** The operator's settings of cron. A variable out of its bounds is `Misconfigured` and says what they are. */
export class CronSettings extends Context.Service<CronSettings, CronSettingsShape>()("pollen/cron/CronSettings") {
  static readonly layer = (env: CronEnv): Layer.Layer<CronSettings, Misconfigured> =>
    Layer.effect(
      CronSettings,
      Effect.gen(function* () {
        const read = yield* readSettings(variables, env)
        yield* checkBounds([
          { name: "CRON_PAGE_SIZE", value: read.pageSize, minimum: 1, maximum: 10_000 },
          { name: "CRON_REQUEST_LIMIT", value: read.requestLimit, minimum: 10, maximum: 10_000_000 },
          { name: "CRON_CONCURRENCY", value: read.concurrency, minimum: 1, maximum: 1000 },
        ])
        yield* checkDurations([
          timeLimitBounds("CRON_TIME_LIMIT", Duration.toMillis(read.timeLimit)),
          {
            ...{ name: "METRICS_RETENTION", value: read.metricsRetentionMs, minimum: "1 day", maximum: "3650 days" },
            because: "each run of cron adds a row, and what ran yesterday is still asked for",
          },
        ])
        return read
      }),
    )
}
