import { Config, Context, Effect, Layer } from "effect"
import type { Misconfigured } from "../../domain/error.ts"
import type { Provider } from "../../domain/provider.ts"
import { readSettings, requestTimeoutMs } from "../../domain/settings.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { endpointsConfig } from "../../providers/endpoints.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import type { ProviderClient } from "../../providers/provider.ts"
import { spotifyClient } from "../../providers/spotify.ts"
import { youtubeClient } from "../../providers/youtube.ts"
import type { CoreEnv } from "../env.ts"
import { importInto } from "../object.ts"

const variables = Config.all({ endpoints: endpointsConfig, timeoutMs: requestTimeoutMs })

/** D1's side of grants, with the settings of the core worker. */
export const databaseGrantsLayer = (env: CoreEnv): Layer.Layer<DatabaseGrants, Misconfigured> =>
  Layer.unwrap(
    Effect.map(readSettings(variables, env), (settings) =>
      DatabaseGrants.layer({ ...settings, database: env.DB, importTokens: importInto(env) }),
    ),
  )

/** The providers, for accounts that D1 holds. */
export class Clients extends Context.Service<Clients, Readonly<Record<Provider, ProviderClient>>>()(
  "pollen/core/Clients",
) {
  static readonly layer = (env: CoreEnv): Layer.Layer<Clients, Misconfigured> =>
    Layer.unwrap(
      Effect.map(readSettings(variables, env), ({ endpoints, timeoutMs }) =>
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
