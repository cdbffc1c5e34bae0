import { ByteSize, Cause, Effect, Option } from "effect"
import { HttpIncomingMessage, HttpServerError, type HttpServerRequest, HttpServerResponse } from "effect/http"
import type { Misconfigured } from "../domain/error.ts"
import { refuseCrossSite } from "./crossSite.ts"
import { toInternalError } from "./defect.ts"
import { withEntityTag } from "./entityTag.ts"
import { CrossSite, MethodNotAllowed, NotFound, PayloadTooLarge, UnsupportedMediaType } from "./error.ts"
import { withOrigins } from "./origins.ts"
import { type HttpError, toProblemResponse } from "./problem.ts"

interface Options {
  /** The methods that a path accepts. */
  readonly allowedMethods: (pathname: string) => ReadonlyArray<string>
  /** Longest body accepted, in bytes. */
  readonly bodyLimit: number
  /** Origins whose pages may ask; none unless the operator names some, or a setting that cannot be read. */
  readonly origins?: Effect.Effect<ReadonlySet<string>, Misconfigured>
}

const toRouteError = ({ originalUrl }: HttpServerRequest.HttpServerRequest, options: Options): HttpError => {
  const { pathname } = new URL(originalUrl)
  const allowed = options.allowedMethods(pathname)
  return allowed.length === 0
    ? new NotFound({ path: pathname })
    : new MethodNotAllowed({ path: pathname, allowed: [...allowed] })
}

/** The error of a request that reaches no handler; `None` for a defect. */
const toRefusal = (thrown: unknown, options: Options): Option.Option<HttpError> => {
  if (!HttpServerError.isHttpServerError(thrown)) return Option.none()
  const { reason } = thrown
  if (reason._tag === "RouteNotFound") return Option.some(toRouteError(reason.request, options))
  if (reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge") {
    return Option.some(new PayloadTooLarge({ limit: options.bodyLimit }))
  }
  return Option.none()
}

const isCrossSite = (error: unknown): error is CrossSite => error instanceof CrossSite

const answerCause = Effect.fnUntraced(function* <E>(cause: Cause.Cause<E>, options: Options) {
  // The client has disconnected, so nobody reads the response.
  if (Cause.hasInterruptsOnly(cause)) return HttpServerResponse.empty({ status: 499 })
  const refusal = toRefusal(Cause.squash(cause), options)
  return yield* toProblemResponse(Option.isSome(refusal) ? refusal.value : yield* toInternalError("A request", cause))
})

/** Gives every response what all have in common: errors are problem documents, no page elsewhere changes anything, and nothing is cached. */
export const respond = <E, R>(
  route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  options: Options,
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | HttpServerRequest.HttpServerRequest> =>
  Effect.matchEffect(options.origins ?? Effect.succeed(new Set<string>()), {
    onFailure: toProblemResponse,
    onSuccess: (origins) => withOrigins(origins)(answered(route, options, origins)),
  }).pipe(Effect.map(HttpServerResponse.setHeader("cache-control", "no-store")))

const answered = <E, R>(
  route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  options: Options,
  origins: ReadonlySet<string>,
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, R | HttpServerRequest.HttpServerRequest> =>
  Effect.andThen(refuseCrossSite(origins), route).pipe(
    Effect.catchIf(isCrossSite, toProblemResponse),
    // A body that announces a greater length is refused before any of it is read; any other is cut off at the limit.
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(options.bodyLimit)),
    Effect.catchCause((cause) => answerCause(cause, options)),
    // The API builder answers 415 in plain text.
    Effect.flatMap((response) =>
      response.status === 415 ? toProblemResponse(new UnsupportedMediaType()) : Effect.succeed(response),
    ),
    Effect.flatMap(withEntityTag),
  )
