import { Effect, Layer, Option, Redacted } from "effect"
import { HttpServerRequest } from "effect/http"
import { Misconfigured } from "../domain/error.ts"
import { Unauthorized } from "../http/error.ts"
import { toProblemResponse } from "../http/problem.ts"
import { Authorization, adminTokenMinLength, Operator } from "./Authorization.ts"
import { accessVerifier } from "./access.ts"
import type { MigrationEnv } from "./env.ts"

/** The header with the token of Cloudflare Access: https://developers.cloudflare.com/cloudflare-one/identity/authorization-cookie/ */
const accessHeader = "cf-access-jwt-assertion"

type Credentials = Pick<MigrationEnv, "ADMIN_TOKEN" | "CF_ACCESS_TEAM_DOMAIN" | "CF_ACCESS_AUD">

/** Authorizes requests by the admin credential or Cloudflare Access, as the worker's secrets say. */
export const authorizationLayer = (env: Credentials): Layer.Layer<Authorization> => {
  const identify = identifier(env)
  return Layer.succeed(Authorization, {
    bearer: (respond, { credential }) =>
      HttpServerRequest.HttpServerRequest.pipe(
        Effect.flatMap(({ headers }) => identify(Redacted.value(credential), headers[accessHeader] ?? "")),
        Effect.matchEffect({
          onFailure: toProblemResponse,
          onSuccess: (operator) => Effect.provideService(respond, Operator, operator),
        }),
      ),
  })
}

const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))

/** Compares digests of equal length, so that the duration reveals nothing about how much of a guess was right. */
const isSame = (given: string, expected: string): Effect.Effect<boolean> =>
  Effect.promise(async () => crypto.subtle.timingSafeEqual(await digest(given), await digest(expected)))

const identifier = ({ ADMIN_TOKEN, CF_ACCESS_TEAM_DOMAIN = "", CF_ACCESS_AUD = "" }: Credentials) => {
  const verifyAccess =
    CF_ACCESS_TEAM_DOMAIN === "" || CF_ACCESS_AUD === ""
      ? undefined
      : accessVerifier({ teamDomain: CF_ACCESS_TEAM_DOMAIN, audience: CF_ACCESS_AUD })
  return Effect.fnUntraced(function* (bearer: string, assertion: string) {
    if (ADMIN_TOKEN !== undefined && ADMIN_TOKEN.length < adminTokenMinLength) {
      return yield* new Misconfigured({
        problem: `ADMIN_TOKEN has fewer than ${adminTokenMinLength} characters; ${howToSet}`,
      })
    }
    if (ADMIN_TOKEN === undefined && verifyAccess === undefined) {
      return yield* new Misconfigured({ problem: `Neither ADMIN_TOKEN nor Cloudflare Access is set up; ${howToSet}` })
    }
    if (ADMIN_TOKEN !== undefined && bearer !== "" && (yield* isSame(bearer, ADMIN_TOKEN))) return "admin"
    if (verifyAccess !== undefined && assertion !== "") {
      const operator = yield* verifyAccess(assertion)
      if (Option.isSome(operator)) return operator.value
    }
    return yield* new Unauthorized({ reason: bearer === "" && assertion === "" ? "missing" : "invalid" })
  })
}

const howToSet =
  "set one with `openssl rand -base64 32 | npx wrangler secret put ADMIN_TOKEN -c src/migration/wrangler.toml`"
