import { Context, Effect, Layer, Scope } from "effect"
import { HttpEffect, HttpRouter, HttpServer, type HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { allowedMethodsOf } from "../http/allowedMethods.ts"
import { Decoding } from "../http/Decoding.ts"
import { respond } from "../http/respond.ts"
import { Audit } from "./Audit.ts"
import { Api } from "./api/Api.ts"
import { authorizationLayer } from "./authorize.ts"
import type { MigrationEnv } from "./env.ts"
import { Flags } from "./Flags.ts"
import { dropLayer } from "./handlers/drop.ts"
import { flagsLayer } from "./handlers/flags.ts"
import { healthLayer } from "./handlers/health.ts"
import { metricsLayer } from "./handlers/metrics.ts"
import { peopleLayer } from "./handlers/people.ts"
import { runsLayer } from "./handlers/runs.ts"
import { tablesLayer } from "./handlers/tables.ts"
import { RunControl } from "./run/RunControl.ts"
import { stepServices } from "./run/stepServices.ts"
import { Tables } from "./table/Tables.ts"

/** What answers a request. */
export type Migration = (request: Request) => Promise<Response>

const options = {
  allowedMethods: allowedMethodsOf(Api),
  // Lists of a thousand people, with user ids of 256 characters.
  bodyLimit: 1024 * 1024,
}

/** Builds the migration worker's HTTP side on its bindings. */
export const makeMigration = (env: MigrationEnv): Migration => {
  const services = Layer.mergeAll(RunControl.layer(env.MOVE), Audit.layer, Tables.layer(env)).pipe(
    Layer.provideMerge(Flags.layer),
    Layer.provideMerge(stepServices(env)),
  )
  const routes = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([dropLayer, flagsLayer, healthLayer, metricsLayer, peopleLayer, runsLayer, tablesLayer]),
    Layer.provide([Decoding.layer, authorizationLayer(env)]),
    Layer.provide(HttpServer.layerServices),
    Layer.provide(services),
  )
  // Built at once and without input or output, so that no request ever waits for what another one has started.
  const route = Effect.runSync(
    HttpRouter.toHttpEffect(routes).pipe(Effect.provideService(Scope.Scope, Scope.makeUnsafe())),
  )
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(Context.empty())(
    respond(route, options),
  )
  return (request) => answer(request, Context.empty())
}
