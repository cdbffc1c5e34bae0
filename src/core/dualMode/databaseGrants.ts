import { Config, ConfigProvider, Context, Duration, Effect, Layer } from "effect"
import { Misconfigured } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { endpointsConfig } from "../../providers/endpoints.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import type { ProviderClient } from "../../providers/provider.ts"
import { spotifyClient } from "../../providers/spotify.ts"
import { youtubeClient } from "../../providers/youtube.ts"
import type { CoreEnv } from "../env.ts"
import { importInto } from "../object.ts"

const variables = Config.all({
  endpoints: endpointsConfig,
  timeout: Config.Duration("REQUEST_TIMEOUT").pipe(Config.withDefault(Duration.seconds(10))),
})

const readSettings = (env: CoreEnv) =>
  variables.parse(ConfigProvider.fromUnknown(env)).pipe(
    Effect.mapError((error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` })),
    Effect.map(({ endpoints, timeout }) => ({ endpoints, timeoutMs: Math.max(1, Duration.toMillis(timeout)) })),
  )

/** D1's side of grants, with the settings of the core worker. */
export const databaseGrantsLayer = (env: CoreEnv): Layer.Layer<DatabaseGrants, Misconfigured> =>
  Layer.unwrap(
    Effect.map(readSettings(env), (settings) =>
      DatabaseGrants.layer({ ...settings, database: env.DB, importTokens: importInto(env) }),
    ),
  )

/** The providers, for accounts that D1 holds. */
export class Clients extends Context.Service<Clients, Readonly<Record<Provider, ProviderClient>>>()(
  "pollen/core/Clients",
) {
  static readonly layer = (env: CoreEnv): Layer.Layer<Clients, Misconfigured> =>
    Layer.unwrap(
      Effect.map(readSettings(env), ({ endpoints, timeoutMs }) =>
        Layer.effect(
          Clients,
          Effect.map(ProviderHttp, (http) => ({
            spotify: spotifyClient(endpoints.spotify.apiUrl, http),
            youtube: youtubeClient(endpoints.youtube.apiUrl, http),
          })),
        ).pipe(Layer.provide(ProviderHttp.layer(timeoutMs))),
      ),
    )
}
