import { Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { type HttpApiEndpoint, HttpApiError, HttpApiMiddleware } from "effect/http-api"
import { toInvalidRequest } from "../rpc/serve.ts"
import { UnsupportedMediaType } from "./error.ts"
import { toProblemResponse } from "./problem.ts"
import { problemDocument } from "./problemDocument.ts"
import { refuseUndeclared } from "./strict.ts"

/** Answers a request that does not match the API with 400, the paths of the wrong fields and the rules, and never with their values. */
export class Decoding extends HttpApiMiddleware.Service<Decoding>()("pollen/http/Decoding", {
  error: problemDocument(400),
}) {
  static readonly layer: Layer.Layer<Decoding> = Layer.succeed(Decoding, (respond, { endpoint }) =>
    Effect.matchEffect(check(endpoint), {
      onFailure: toProblemResponse,
      onSuccess: () =>
        Effect.catch(respond, (error) =>
          HttpApiError.HttpApiSchemaError.is(error) ? toDecodingProblem(endpoint, error) : Effect.fail(error),
        ),
    }),
  )
}

const toDecodingProblem = (endpoint: HttpApiEndpoint.Top, { kind, cause }: HttpApiError.HttpApiSchemaError) =>
  // A response that does not match the API is a defect of pollen.
  kind === "Body" || kind === "ResponseHeaders"
    ? Effect.die(cause)
    : toProblemResponse(toInvalidRequest(endpoint.identifier, cause))

/** What the API builder lets pass: fields where none are declared, and a body that does not say that it is JSON. */
const check = Effect.fnUntraced(function* (endpoint: HttpApiEndpoint.Top) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  // The builder takes a body without a media type as JSON, and that is what a page elsewhere can send.
  if (endpoint.payload.size > 0 && headers["content-type"] === undefined) return yield* new UnsupportedMediaType()
  yield* refuseUndeclared(endpoint)
})
