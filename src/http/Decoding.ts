import { Effect, type Layer } from "effect"
import { HttpApiMiddleware } from "effect/http-api"
import { toInvalidRequest } from "../rpc/serve.ts"
import { toProblemResponse } from "./problem.ts"
import { problemDocument } from "./problemDocument.ts"

/** Answers a request that does not fit the API with the paths of what is wrong in it, and never with the values. */
export class Decoding extends HttpApiMiddleware.Service<Decoding>()("pollen/http/Decoding", {
  error: problemDocument(400),
}) {
  static readonly layer: Layer.Layer<Decoding> = HttpApiMiddleware.layerSchemaErrorTransform(
    Decoding,
    (error, { endpoint }) =>
      // An answer that does not fit the API is a fault of pollen's own.
      error.kind === "Body" || error.kind === "ResponseHeaders"
        ? Effect.die(error.cause)
        : toProblemResponse(toInvalidRequest(endpoint.identifier, error.cause)),
  )
}
