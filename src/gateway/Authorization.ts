import { Context, Effect, Layer, Option, Redacted } from "effect"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { Misconfigured } from "../domain/error.ts"
import type { UserId } from "../domain/user.ts"
import { Unauthorized } from "../http/error.ts"
import { toProblemResponse } from "../http/problem.ts"
import { problemDocument } from "../http/problemDocument.ts"
import { gatewayKeyMinLength, verifyBearer } from "./bearer.ts"

/** The person whose bearer token came with the request. */
export class CurrentUser extends Context.Service<CurrentUser, UserId>()("pollen/gateway/CurrentUser") {}

/** Lets nobody through without their own bearer token. Runs before anything of the request is decoded. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentUser }>()(
  "pollen/gateway/Authorization",
  { security: { bearer: HttpApiSecurity.bearer }, error: problemDocument(401) },
) {
  static readonly layer = (key: string | undefined): Layer.Layer<Authorization> =>
    Layer.succeed(Authorization, {
      bearer: (respond, { credential }) =>
        identify(key, Redacted.value(credential)).pipe(
          Effect.matchEffect({
            onFailure: toProblemResponse,
            onSuccess: (userId) => Effect.provideService(respond, CurrentUser, userId),
          }),
        ),
    })
}

const identify = Effect.fnUntraced(function* (key = "", bearer: string) {
  if (key.length < gatewayKeyMinLength) {
    return yield* new Misconfigured({
      problem:
        `GATEWAY_KEY is missing or has fewer than ${gatewayKeyMinLength} characters; ` +
        "set one with `openssl rand -base64 32 | npx wrangler secret put GATEWAY_KEY -c src/gateway/wrangler.toml`",
    })
  }
  if (bearer === "") return yield* new Unauthorized({ reason: "missing" })
  const userId = yield* Effect.promise(() => verifyBearer(key, bearer))
  return Option.isSome(userId) ? userId.value : yield* new Unauthorized({ reason: "invalid" })
})
