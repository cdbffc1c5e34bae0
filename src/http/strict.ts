import { Context, Effect, Option, Schema } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApi, type HttpApiEndpoint } from "effect/http-api"
import { InvalidRequest } from "../domain/error.ts"
import { unknownField } from "../rpc/serve.ts"

// A field that is spelled wrong is refused and never ignored: without its `isDry` or `people`, a request may be a real one about everybody.

const strict = { errors: "all", onExcessProperty: "error" } as const

/** Annotations of an API whose requests are told of everything that is wrong in them, unknown fields included. Headers may be any. */
export const strictRequests = Context.make(HttpApi.ParseOptions, { errors: "all" }).pipe(
  Context.add(HttpApi.PayloadParseOptions, strict),
  Context.add(HttpApi.QueryParseOptions, strict),
)

type Issues = InvalidRequest["issues"]

const unknown = (names: Iterable<string>): Issues => [...names].map((path) => ({ path, message: unknownField }))

const decodeFields = Schema.decodeOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** The fields of a body that an endpoint without one was sent. An empty object is as good as nothing. */
const bodyIssues = (text: string): Issues =>
  text === ""
    ? []
    : Option.match(decodeFields(text), {
        onNone: () => [{ path: "", message: "must be empty: this request has no body" }],
        onSome: (fields) => unknown(Object.keys(fields)),
      })

/** Refuses a query, or a body, that an endpoint does not declare at all, so that no schema looks at it. */
export const refuseUndeclared = Effect.fnUntraced(function* (endpoint: HttpApiEndpoint.Top) {
  const request = yield* HttpServerRequest.HttpServerRequest
  const query = endpoint.query === undefined ? unknown(new URL(request.originalUrl).searchParams.keys()) : []
  const isBodiless = endpoint.payload.size === 0 && endpoint.method !== "GET"
  const body = isBodiless ? bodyIssues(yield* Effect.orDie(request.text)) : []
  const issues = [...query, ...body]
  if (issues.length > 0) return yield* new InvalidRequest({ method: endpoint.identifier, issues })
})
