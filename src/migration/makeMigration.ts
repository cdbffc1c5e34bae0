import { Context, Effect, Layer, Scope } from "effect"
import { HttpEffect, HttpRouter, HttpServer, type HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { allowedMethodsOf } from "../http/allowedMethods.ts"
import { Decoding } from "../http/Decoding.ts"
import { respond } from "../http/respond.ts"
import { Audit } from "./Audit.ts"
import { Api } from "./api/Api.ts"
import { authorizationLayer, descriptionLayer } from "./authorize.ts"
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

/** Answers one request. */
export type Migration = (request: Request) => Promise<Response>

const options = {
  allowedMethods: allowedMethodsOf(Api),
  // Enough for a list of 1,000 people with user ids of 256 characters.
  bodyLimit: 1024 * 1024,
}

/** Longest part of a path, as it is encoded: a user id of 256 characters, each of up to 3 bytes. The router's own limit is 100. */
const maxParamLength = 256 * 9

/** Builds the migration worker's HTTP side on its bindings. */
export const makeMigration = (env: MigrationEnv): Migration => {
  const services = Layer.mergeAll(RunControl.layer(env), Audit.layer, Tables.layer(env)).pipe(
    Layer.provideMerge(Flags.layer),
    Layer.provideMerge(stepServices(env)),
  )
  const routes = Layer.merge(HttpApiBuilder.layer(Api), descriptionLayer(env)).pipe(
    Layer.provide([dropLayer, flagsLayer, healthLayer, metricsLayer, peopleLayer, runsLayer, tablesLayer]),
    Layer.provide([Decoding.layer, authorizationLayer(env)]),
    Layer.provide(HttpServer.layerServices),
    Layer.provide(services),
  )
  // Built synchronously and without I/O: a request must never wait for I/O that another request has started.
  const route = Effect.runSync(
    HttpRouter.toHttpEffect(routes).pipe(
      Effect.provideService(HttpRouter.RouterConfig, { maxParamLength }),
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
    ),
  )
  const answer = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(Context.empty())(
    respond(route, options),
  )
  return (request) => answer(request, Context.empty())
}
