import { Config, Effect, Layer } from "effect"
import type { Misconfigured } from "../../domain/error.ts"
import { grantLifetimes } from "../../domain/grantLife.ts"
import { readSettings, requestTimeoutMs } from "../../domain/settings.ts"
import { DatabaseGrants } from "../../move/DatabaseGrants.ts"
import { endpointsConfig } from "../../providers/endpoints.ts"
import { ProviderClients } from "../../providers/ProviderClients.ts"
import { ProviderHttp } from "../../providers/ProviderHttp.ts"
import type { CoreEnv } from "../env.ts"
import { importInto } from "../object.ts"

const variables = Config.all({ endpoints: endpointsConfig, timeoutMs: requestTimeoutMs, grantLifetimes })

/** D1's side of grants, with the settings of the core worker. */
export const databaseGrantsLayer = (env: CoreEnv): Layer.Layer<DatabaseGrants, Misconfigured> =>
  Layer.unwrap(
    Effect.map(readSettings(variables, env), (settings) =>
      DatabaseGrants.layer({ ...settings, database: env.DB, importTokens: importInto(env) }),
    ),
  )

/** The clients of the providers, for accounts that D1 holds. */
export const clientsLayer = (env: CoreEnv): Layer.Layer<ProviderClients, Misconfigured> =>
  Layer.unwrap(
    Effect.map(readSettings(variables, env), ({ endpoints, timeoutMs }) =>
      ProviderClients.layer(endpoints).pipe(Layer.provide(ProviderHttp.layer(timeoutMs))),
    ),
  )
