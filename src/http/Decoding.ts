import { Effect, type Layer } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { toInvalidRequest } from "../rpc/serve.ts"
import { toProblemResponse } from "./problem.ts"
import { problemDocument } from "./problemDocument.ts"

/** Answers a request that does not match the API with 400, the paths of the wrong fields and the rules, and never with their values. */
export class Decoding extends HttpApiMiddleware.Service<Decoding>()("pollen/http/Decoding", {
  error: problemDocument(400),
}) {
  static readonly layer: Layer.Layer<Decoding> = HttpApiMiddleware.layerSchemaErrorTransform(
    Decoding,
    (error, { endpoint }) =>
      // A response that does not match the API is a defect of pollen.
      error.kind === "Body" || error.kind === "ResponseHeaders"
        ? Effect.die(error.cause)
        : toProblemResponse(toInvalidRequest(endpoint.identifier, error.cause)),
  )
}
