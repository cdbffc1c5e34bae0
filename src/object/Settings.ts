import { Config, ConfigProvider, Context, Duration, Effect, Layer, Redacted } from "effect"
import { Misconfigured } from "../domain/error.ts"
import type { IntervalBounds } from "../domain/interval.ts"
import type { Provider } from "../domain/provider.ts"
import { type EndpointVariables, endpointsConfig } from "../providers/endpoints.ts"
import type { ProviderEndpoints } from "../providers/provider.ts"
import { type KeyRing, parseKeyRing } from "./keyring.ts"

/** Variables and secrets of the core worker that have no default. README.md has the whole table. */
export interface SettingsVariables extends EndpointVariables {
  /** Secret. `id:base64` of 32 random bytes, newest key first, separated by commas. */
  readonly TOKEN_KEYS?: string
}

export interface SettingsShape {
  readonly keyRing: KeyRing
  readonly endpoints: Readonly<Record<Provider, ProviderEndpoints>>
  readonly bounds: IntervalBounds
  /** How long after a requested poll of an account the next may be requested, in milliseconds; 0 lets any. */
  readonly requestIntervalMs: number
  /** How many of a source's newest items the first poll delivers. */
  readonly backfillItems: number
  /** How long a source whose item count does not change goes without being asked, in milliseconds. */
  readonly recheckMs: number
  /** How often an idle object reports to D1 at most, in milliseconds. */
  readonly heartbeatMs: number
  /** How long a provider may take for one answer, in milliseconds. */
  readonly requestTimeoutMs: number
}

const millis = (name: string, fallback: Duration.Input) =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(1, Duration.toMillis(duration))),
  )

/** One that may be nothing. */
const millisOrNone = (name: string, fallback: Duration.Input) =>
  Config.Duration(name).pipe(
    Config.withDefault(Duration.fromInputUnsafe(fallback)),
    Config.map((duration) => Math.max(0, Duration.toMillis(duration))),
  )

const variables = Config.all({
  tokenKeys: Config.Redacted("TOKEN_KEYS").pipe(Config.withDefault(Redacted.make(""))),
  endpoints: endpointsConfig,
  minimumMs: millis("POLL_MINIMUM_INTERVAL", "15 minutes"),
  maximumMs: millis("POLL_MAXIMUM_INTERVAL", "24 hours"),
  requestIntervalMs: millisOrNone("POLL_REQUEST_INTERVAL", "1 minute"),
  backfillItems: Config.Int("BACKFILL_ITEMS").pipe(Config.withDefault(20)),
  recheckMs: millis("VERIFY_INTERVAL", "24 hours"),
  heartbeatMs: millis("REPORT_INTERVAL", "6 hours"),
  requestTimeoutMs: millis("REQUEST_TIMEOUT", "10 seconds"),
})

/** What the operator decided. Built from the worker's variables and secrets; a wrong one is `Misconfigured` with what to do. */
export class Settings extends Context.Service<Settings, SettingsShape>()("pollen/object/Settings") {
  static readonly layer = (env: SettingsVariables): Layer.Layer<Settings, Misconfigured> =>
    Layer.effect(
      Settings,
      Effect.gen(function* () {
        const read = yield* variables
          .parse(ConfigProvider.fromUnknown(env))
          .pipe(
            Effect.mapError((error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` })),
          )
        const keyRing = yield* parseKeyRing(read.tokenKeys)
        if (read.minimumMs > read.maximumMs) {
          return yield* new Misconfigured({ problem: "POLL_MINIMUM_INTERVAL is longer than POLL_MAXIMUM_INTERVAL" })
        }
        if (read.backfillItems < 0 || read.backfillItems > 50) {
          return yield* new Misconfigured({ problem: "BACKFILL_ITEMS must be 0 to 50" })
        }
        return {
          keyRing,
          endpoints: read.endpoints,
          bounds: { minimumMs: read.minimumMs, maximumMs: read.maximumMs },
          requestIntervalMs: read.requestIntervalMs,
          backfillItems: read.backfillItems,
          recheckMs: read.recheckMs,
          heartbeatMs: read.heartbeatMs,
          requestTimeoutMs: read.requestTimeoutMs,
        }
      }),
    )
}
