import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { HttpApiSchema } from "effect/http-api"

const Problem = Schema.Struct({
  type: Schema.String,
  status: Schema.Int,
  title: Schema.String,
  detail: Schema.String,
})

/** Describes the problem details of one HTTP status in the OpenAPI document. `src/http/problem.ts` writes them. */
export const problemDocument = (status: number) =>
  Problem.pipe(HttpApiSchema.asJson({ contentType: ProblemDetails.contentType }), HttpApiSchema.status(status))
