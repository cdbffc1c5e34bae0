import { Config, ConfigProvider, Duration, Effect, Layer } from "effect"
import { Misconfigured } from "../domain/error.ts"
import { DatabaseGrants } from "../move/DatabaseGrants.ts"
import { endpointsConfig } from "../providers/endpoints.ts"
import type { CoreEnv } from "./env.ts"
import { importInto } from "./object.ts"

const variables = Config.all({
  endpoints: endpointsConfig,
  timeout: Config.Duration("REQUEST_TIMEOUT").pipe(Config.withDefault(Duration.seconds(10))),
})

/** D1's side of grants, with the settings of the core worker. */
export const databaseGrantsLayer = (env: CoreEnv): Layer.Layer<DatabaseGrants, Misconfigured> =>
  Layer.unwrap(
    variables.parse(ConfigProvider.fromUnknown(env)).pipe(
      Effect.mapError((error) => new Misconfigured({ problem: `A setting cannot be read: ${error.message}` })),
      Effect.map(({ endpoints, timeout }) =>
        DatabaseGrants.layer({
          database: env.DB,
          endpoints,
          timeoutMs: Math.max(1, Duration.toMillis(timeout)),
          importTokens: importInto(env),
        }),
      ),
    ),
  )
