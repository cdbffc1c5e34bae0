import { Context, Effect, Layer, Scope } from "effect"
import { HttpEffect, HttpRouter, HttpServer, type HttpServerRequest } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { allowedMethodsOf } from "../http/allowedMethods.ts"
import { Decoding } from "../http/Decoding.ts"
import { readOrigins } from "../http/origins.ts"
import { respond } from "../http/respond.ts"
import { Authorization } from "./Authorization.ts"
import { Api } from "./api/Api.ts"
import { Core } from "./Core.ts"
import type { GatewayEnv } from "./env.ts"
import { Feed } from "./Feed.ts"
import { accountsLayer } from "./handlers/accounts.ts"
import { feedLayer } from "./handlers/feed.ts"
import { healthLayer } from "./handlers/health.ts"
import { personLayer } from "./handlers/person.ts"
import { pollingLayer } from "./handlers/polling.ts"
import { isWebSub, webSubLayer } from "./handlers/webSub.ts"
import { type Invocation, invocation } from "./Invocation.ts"

/** What answers a request. */
export type Gateway = (request: Request, context: ExecutionContext) => Promise<Response>

const routes = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
  Layer.merge(webSubLayer),
  Layer.provide([accountsLayer, feedLayer, healthLayer, personLayer, pollingLayer]),
  Layer.provide(Decoding.layer),
  Layer.provide(HttpServer.layerServices),
)

const ofApi = allowedMethodsOf(Api)

const options = {
  allowedMethods: (pathname: string) => (isWebSub(pathname) ? ["GET", "POST"] : ofApi(pathname)),
  // Two tokens of 4,096 characters and 50 scopes of 200 fit several times over.
  bodyLimit: 64 * 1024,
}

/** Builds the gateway on the services that it needs. */
export const makeGatewayWith = (services: Layer.Layer<Authorization | Core | Feed>, corsOrigins = ""): Gateway => {
  // Built at once and without input or output, so that no request ever waits for what another one has started.
  const route = Effect.runSync(
    HttpRouter.toHttpEffect(routes.pipe(Layer.provide(services))).pipe(
      Effect.provideService(Scope.Scope, Scope.makeUnsafe()),
    ),
  )
  const answer = HttpEffect.toWebHandlerWith<never, Invocation | HttpServerRequest.HttpServerRequest | Scope.Scope>(
    Context.empty(),
  )(respond(route, { ...options, origins: readOrigins("CORS_ORIGINS", corsOrigins) }))
  return (request, context) => answer(request, invocation(context))
}

/** Builds the gateway on its bindings. */
export const makeGateway = (env: GatewayEnv): Gateway =>
  makeGatewayWith(
    Layer.mergeAll(Core.layer(env.CORE), Feed.layer(env.DB), Authorization.layer(env.GATEWAY_KEY)),
    env.CORS_ORIGINS,
  )
