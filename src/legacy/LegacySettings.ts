import { Config, Context, Effect, Layer } from "effect"
import type { Misconfigured } from "../domain/error.ts"
import { type GrantLifetimes, grantLifetimes } from "../domain/grantLife.ts"
import type { Provider } from "../domain/provider.ts"
import {
  areBoundsOff,
  backfillBounds,
  backfillItems,
  checkBounds,
  checkDurations,
  millis,
  readSettings,
  recheckBounds,
  recheckMs,
  requestTimeoutBounds,
  requestTimeoutMs,
  timeLimitBounds,
  wholeNumber,
} from "../domain/settings.ts"
import { type EndpointVariables, endpointsConfig, isSimulated } from "../providers/endpoints.ts"
import type { ProviderEndpoints } from "../providers/provider.ts"

/** Variables and secrets of the worker that runs the legacy poller. docs/settings.md has the whole table. */
export interface LegacyVariables extends EndpointVariables {
  /** Accounts of a batch; 50 unless set. */
  readonly LEGACY_BATCH_SIZE?: string
  /** Accounts of a batch that are polled at the same time; 10 unless set. */
  readonly LEGACY_CONCURRENCY?: string
  /** How long a run may take, such as `10 minutes`, which it is unless set. */
  readonly LEGACY_TIME_LIMIT?: string
  /** Subrequests that a run may make, of providers, D1 and objects; 8000 unless set: cron's waking needs some of an invocation's 10,000. */
  readonly LEGACY_REQUEST_LIMIT?: string
}

export interface LegacySettingsShape {
  readonly endpoints: Readonly<Record<Provider, ProviderEndpoints>>
  readonly batchSize: number
  readonly concurrency: number
  readonly timeLimitMs: number
  readonly requestLimit: number
  /** How many of a source's newest items somebody gets who has just begun to follow it. */
  readonly backfillItems: number
  /** How long a source whose item count stands still goes without being asked, in milliseconds. */
  readonly recheckMs: number
  /** How long a provider may take for one answer, in milliseconds. */
  readonly requestTimeoutMs: number
  readonly grantLifetimes: GrantLifetimes
}

const variables = Config.all({
  endpoints: endpointsConfig,
  batchSize: wholeNumber("LEGACY_BATCH_SIZE", 50),
  concurrency: wholeNumber("LEGACY_CONCURRENCY", 10),
  timeLimitMs: millis("LEGACY_TIME_LIMIT", "10 minutes"),
  requestLimit: wholeNumber("LEGACY_REQUEST_LIMIT", 8_000),
  backfillItems,
  recheckMs,
  requestTimeoutMs,
  grantLifetimes,
  isUnsafe: areBoundsOff,
})

/** The operator's settings of the legacy poller. A variable out of its bounds is `Misconfigured` and says what they are. */
export class LegacySettings extends Context.Service<LegacySettings, LegacySettingsShape>()(
  "pollen/legacy/LegacySettings",
) {
  static readonly layer = (env: LegacyVariables): Layer.Layer<LegacySettings, Misconfigured> =>
    Layer.effect(
      LegacySettings,
      Effect.gen(function* () {
        const { isUnsafe, ...read } = yield* readSettings(variables, env)
        yield* checkBounds([
          { name: "LEGACY_BATCH_SIZE", value: read.batchSize, minimum: 1, maximum: 200 },
          { name: "LEGACY_CONCURRENCY", value: read.concurrency, minimum: 1, maximum: 100 },
          { name: "LEGACY_REQUEST_LIMIT", value: read.requestLimit, minimum: 100, maximum: 10_000_000 },
          backfillBounds(read.backfillItems),
        ])
        yield* checkDurations([timeLimitBounds("LEGACY_TIME_LIMIT", read.timeLimitMs)])
        if (!isUnsafe) {
          yield* checkDurations([recheckBounds(read.recheckMs), requestTimeoutBounds(read.requestTimeoutMs)], {
            isSimulated: isSimulated(read.endpoints),
          })
        }
        return read
      }),
    )
}
