import { Config, Context, Effect, Layer, Redacted } from "effect"
import { Misconfigured } from "../domain/error.ts"
import { type GrantLifetimes, grantLifetimes } from "../domain/grantLife.ts"
import type { IntervalBounds } from "../domain/interval.ts"
import type { Provider } from "../domain/provider.ts"
import {
  areBoundsOff,
  backfillBounds,
  backfillItems,
  checkBounds,
  checkDurations,
  type DurationBounds,
  millis,
  millisOrNone,
  oncePerIsolate,
  readSettings,
  recheckBounds,
  recheckMs,
  requestTimeoutBounds,
  requestTimeoutMs,
  wholeNumber,
} from "../domain/settings.ts"
import { type EndpointVariables, endpointsConfig, isSimulated, publicYoutubeConfig } from "../providers/endpoints.ts"
import type { ProviderEndpoints } from "../providers/provider.ts"
import { type KeyRing, parseKeyRing } from "./keyring.ts"

/** Variables and secrets of the core worker that have no default. docs/settings.md has the whole table. */
export interface SettingsVariables extends EndpointVariables {
  /** Secret. `id:base64` of 32 random bytes, newest key first, separated by commas. */
  readonly TOKEN_KEYS?: string
}

export interface SettingsShape {
  readonly keyRing: KeyRing
  readonly endpoints: Readonly<Record<Provider, ProviderEndpoints>>
  readonly grantLifetimes: GrantLifetimes
  readonly bounds: IntervalBounds
  /** How long after a requested poll of an account the next may be requested, in milliseconds; 0 lets any. */
  readonly requestIntervalMs: number
  /** How many of a source's newest items the first poll delivers. */
  readonly backfillItems: number
  /** How long a source whose item count does not change goes without being asked, in milliseconds. */
  readonly recheckMs: number
  /** How often an idle object sends D1 a heartbeat at most, in milliseconds. */
  readonly heartbeatMs: number
  /** Access to what is public at YouTube. With an API key, hubs look after channels; with the gateway's address too (`""`: none), they ask for pushes. */
  readonly publicYoutube: Config.Success<typeof publicYoutubeConfig>
  /** How many hubs share the public sources. */
  readonly hubs: number
  /** How long a channel goes without being asked by the API while its feed is read, in milliseconds. */
  readonly channelRecheckMs: number
  /** How long a provider may take for one answer, in milliseconds. */
  readonly requestTimeoutMs: number
  /** How long D1 may take for one answer, in milliseconds. */
  readonly databaseTimeoutMs: number
  /** Longest pause that a provider gets by `Retry-After`, in milliseconds. */
  readonly pauseLimitMs: number
}

const variables = Config.all({
  tokenKeys: Config.Redacted("TOKEN_KEYS").pipe(Config.withDefault(Redacted.make(""))),
  endpoints: endpointsConfig,
  grantLifetimes,
  minimumMs: millis("POLL_MINIMUM_INTERVAL", "15 minutes"),
  maximumMs: millis("POLL_MAXIMUM_INTERVAL", "24 hours"),
  requestIntervalMs: millisOrNone("POLL_REQUEST_INTERVAL", "1 minute"),
  backfillItems,
  recheckMs,
  publicYoutube: publicYoutubeConfig,
  hubs: wholeNumber("SOURCE_HUBS", 128),
  channelRecheckMs: millis("CHANNEL_VERIFY_INTERVAL", "3 days"),
  heartbeatMs: millis("REPORT_INTERVAL", "6 hours"),
  requestTimeoutMs,
  databaseTimeoutMs: millis("DATABASE_TIMEOUT", "20 seconds"),
  pauseLimitMs: millis("PAUSE_LIMIT", "24 hours"),
  isUnsafe: areBoundsOff,
})

type Durations = Pick<
  SettingsShape,
  | "requestIntervalMs"
  | "heartbeatMs"
  | "databaseTimeoutMs"
  | "pauseLimitMs"
  | "recheckMs"
  | "channelRecheckMs"
  | "requestTimeoutMs"
> &
  IntervalBounds

const durationBounds = (read: Durations): ReadonlyArray<DurationBounds> => [
  {
    ...{ name: "POLL_MINIMUM_INTERVAL", value: read.minimumMs, minimum: "1 minute", maximum: "24 hours" },
    because: "each poll costs requests of the application's quota, and what is new is to be there within the day",
  },
  {
    ...{ name: "POLL_MAXIMUM_INTERVAL", value: read.maximumMs, minimum: "1 minute", maximum: "30 days" },
    because: "a source that is asked less often is as good as lost",
  },
  {
    ...{ name: "POLL_REQUEST_INTERVAL", value: read.requestIntervalMs, minimum: 0, maximum: "24 hours" },
    because: "people who ask for a poll are refused meanwhile",
  },
  {
    ...{ name: "REPORT_INTERVAL", value: read.heartbeatMs, minimum: "5 minutes", maximum: "7 days" },
    because: "each heartbeat writes a row to D1, and cron wakes an object only when one is missing",
  },
  {
    ...{ name: "DATABASE_TIMEOUT", value: read.databaseTimeoutMs, minimum: "1 second", maximum: "60 seconds" },
    because: "D1 ends a query after 30 seconds by itself, and callers wait meanwhile",
  },
  {
    ...{ name: "PAUSE_LIMIT", value: read.pauseLimitMs, minimum: "1 minute", maximum: "31 days" },
    because: "a provider that asks for a pause is believed for so long",
  },
  {
    ...{ name: "CHANNEL_VERIFY_INTERVAL", value: read.channelRecheckMs, minimum: "1 hour", maximum: "30 days" },
    because: "each costs a unit of the quota for each channel, and finds what its feed does not tell",
  },
  recheckBounds(read.recheckMs),
  requestTimeoutBounds(read.requestTimeoutMs),
]

const read = oncePerIsolate(
  Effect.fnUntraced(function* (env: object): Effect.fn.Return<SettingsShape, Misconfigured> {
    const { minimumMs, maximumMs, tokenKeys, isUnsafe, ...read } = yield* readSettings(variables, env)
    const keyRing = yield* parseKeyRing(tokenKeys)
    if (minimumMs > maximumMs) {
      return yield* new Misconfigured({ problem: "POLL_MINIMUM_INTERVAL is longer than POLL_MAXIMUM_INTERVAL" })
    }
    const { publicUrl } = read.publicYoutube
    if (publicUrl !== "" && !/^https?:\/\/[^/]+$/.test(publicUrl)) {
      const problem = "PUBLIC_URL is the gateway's address and nothing more, such as https://pollen.example.com"
      return yield* new Misconfigured({ problem })
    }
    yield* checkBounds([
      backfillBounds(read.backfillItems),
      { name: "SOURCE_HUBS", value: read.hubs, minimum: 1, maximum: 100_000 },
    ])
    if (!isUnsafe) {
      const bounds = durationBounds({ ...read, minimumMs, maximumMs })
      yield* checkDurations(bounds, { isSimulated: isSimulated(read.endpoints) })
    }
    return { ...read, keyRing, bounds: { minimumMs, maximumMs } }
  }),
)

/** The operator's settings. Built from the worker's variables and secrets; a wrong one is `Misconfigured` with what to do. */
export class Settings extends Context.Service<Settings, SettingsShape>()("pollen/object/Settings") {
  static readonly layer = (env: SettingsVariables): Layer.Layer<Settings, Misconfigured> =>
    Layer.effect(Settings, read(env))
}
