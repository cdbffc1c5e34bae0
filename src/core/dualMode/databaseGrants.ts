import { Config, ConfigProvider, Duration, Effect, Layer } from "effect"
import { Misconfigured } from "../../domain/error.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { endpointsConfig } from "../../providers/endpoints.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
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

/** The clients of the providers, for accounts that D1 holds. */
export const clientsLayer = (env: CoreEnv): Layer.Layer<ProviderClients, Misconfigured> =>
  Layer.unwrap(
    Effect.map(readSettings(env), ({ endpoints, timeoutMs }) =>
      ProviderClients.layer(endpoints).pipe(Layer.provide(ProviderHttp.layer(timeoutMs))),
    ),
  )
