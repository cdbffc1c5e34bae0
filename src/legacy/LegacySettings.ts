import { Config, ConfigProvider, Context, Duration, Effect, Layer } from "effect"
import { Misconfigured } from "../domain/error.ts"
import type { Provider } from "../domain/provider.ts"
import { type EndpointVariables, endpointsConfig } from "../providers/endpoints.ts"
import type { ProviderEndpoints } from "../providers/provider.ts"

/** Variables and secrets of the worker that runs the central poller. README.md has the whole table. */
export interface LegacyVariables extends EndpointVariables {
  /** Accounts of a batch; 50 unless set. */
  readonly LEGACY_BATCH_SIZE?: string
  /** Accounts of a batch that are polled at the same time; 10 unless set. */
  readonly LEGACY_CONCURRENCY?: string
  /** How long a run may take, such as `10 minutes`, which it is unless set. */
  readonly LEGACY_TIME_LIMIT?: string
  /** Requests to providers that a run may make; 9000 unless set: below what Cloudflare lets an invocation make in all. */
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
}

const millis = (name: string, fallback: Duration.Input) =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(1, Duration.toMillis(duration))),
  )

const variables = Config.all({
  endpoints: endpointsConfig,
  batchSize: Config.Int("LEGACY_BATCH_SIZE").pipe(Config.withDefault(50)),
  concurrency: Config.Int("LEGACY_CONCURRENCY").pipe(Config.withDefault(10)),
  timeLimitMs: millis("LEGACY_TIME_LIMIT", "10 minutes"),
  requestLimit: Config.Int("LEGACY_REQUEST_LIMIT").pipe(Config.withDefault(9_000)),
  backfillItems: Config.Int("BACKFILL_ITEMS").pipe(Config.withDefault(20)),
  recheckMs: millis("VERIFY_INTERVAL", "24 hours"),
  requestTimeoutMs: millis("REQUEST_TIMEOUT", "10 seconds"),
})

/** Bounds of what is a number, and how the operator is told. */
const bounds = [
  ["LEGACY_BATCH_SIZE", "batchSize", 1, 200],
  ["LEGACY_CONCURRENCY", "concurrency", 1, 100],
  ["LEGACY_REQUEST_LIMIT", "requestLimit", 1, 10_000_000],
  ["BACKFILL_ITEMS", "backfillItems", 0, 50],
] as const

/** What the operator decided about the central poller. A variable that makes no sense is `Misconfigured`, and says what would. */
export class LegacySettings extends Context.Service<LegacySettings, LegacySettingsShape>()(
  "pollen/legacy/LegacySettings",
) {
  static readonly layer = (env: LegacyVariables): Layer.Layer<LegacySettings, Misconfigured> =>
    Layer.effect(
      LegacySettings,
      Effect.gen(function* () {
        const read = yield* variables
          .parse(ConfigProvider.fromUnknown(env))
          .pipe(
            Effect.mapError((error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` })),
          )
        for (const [name, field, minimum, maximum] of bounds) {
          if (read[field] < minimum || read[field] > maximum) {
            return yield* new Misconfigured({ problem: `${name} must be ${minimum} to ${maximum}` })
          }
        }
        if (read.timeLimitMs > 14 * 60_000) {
          return yield* new Misconfigured({ problem: "LEGACY_TIME_LIMIT must be at most 14 minutes" })
        }
        return read
      }),
    )
}
