import { Effect, Layer, Option, Redacted, Result } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiSecurity, OpenApi } from "effect/http-api"
import { Misconfigured } from "../domain/error.ts"
import { Unauthorized } from "../http/error.ts"
import { answerProblems, toProblemResponse } from "../http/problem.ts"
import { Authorization, Operator } from "./Authorization.ts"
import { accessVerifier } from "./access.ts"
import { Api } from "./api/Api.ts"
import { howToSet, nameOf, readCredentials } from "./credentials.ts"
import type { MigrationEnv } from "./env.ts"

/** The header with the token of Cloudflare Access: https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/ */
const accessHeader = "cf-access-jwt-assertion"

type Secrets = Pick<MigrationEnv, "ADMIN_TOKEN" | "ADMIN_TOKENS" | "CF_ACCESS_TEAM_DOMAIN" | "CF_ACCESS_AUD">

/** Authorizes requests by the admin credentials or Cloudflare Access, as the worker's secrets say. */
export const authorizationLayer = (env: Secrets): Layer.Layer<Authorization> => {
  const identify = identifier(env)
  return Layer.succeed(Authorization, {
    bearer: (respond, { credential }) =>
      Effect.matchEffect(identify(Redacted.value(credential)), {
        onFailure: toProblemResponse,
        onSuccess: (operator) => Effect.provideService(respond, Operator, operator),
      }),
  })
}

/** The route of the API's description, for those alone who may use the API. */
export const descriptionLayer = (env: Secrets) => {
  const identify = identifier(env)
  return HttpRouter.add(
    "GET",
    "/openapi.json",
    HttpApiBuilder.securityDecode(HttpApiSecurity.bearer).pipe(
      Effect.flatMap((credential) => identify(Redacted.value(credential))),
      Effect.map(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(Api))),
      answerProblems,
    ),
  )
}

const identifier = (secrets: Secrets) => {
  const { CF_ACCESS_TEAM_DOMAIN = "", CF_ACCESS_AUD = "" } = secrets
  const credentials = readCredentials(secrets)
  const verifyAccess =
    CF_ACCESS_TEAM_DOMAIN === "" || CF_ACCESS_AUD === ""
      ? undefined
      : accessVerifier({ teamDomain: CF_ACCESS_TEAM_DOMAIN, audience: CF_ACCESS_AUD })
  return Effect.fnUntraced(function* (bearer: string) {
    const { headers } = yield* HttpServerRequest.HttpServerRequest
    const assertion = headers[accessHeader] ?? ""
    if (Result.isFailure(credentials)) return yield* credentials.failure
    if (credentials.success.length === 0 && verifyAccess === undefined) {
      return yield* new Misconfigured({ problem: `Neither ADMIN_TOKEN nor Cloudflare Access is set up; ${howToSet}` })
    }
    const name = bearer === "" ? undefined : yield* nameOf(bearer, credentials.success)
    if (name !== undefined) return name
    if (verifyAccess !== undefined && assertion !== "") {
      const operator = yield* verifyAccess(assertion)
      if (Option.isSome(operator)) return operator.value
    }
    return yield* new Unauthorized({ reason: bearer === "" && assertion === "" ? "missing" : "invalid" })
  })
}
