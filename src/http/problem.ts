import { Clock, Effect, Match, String as Text } from "effect"
import { HttpServerResponse, ProblemDetails } from "effect/http"
import type {
  AccountNotConnected,
  DatabaseUnavailable,
  ProviderUnavailable,
  RateLimited,
  ReauthorizationRequired,
  SealBroken,
} from "../domain/error.ts"
import type { CommonError } from "../rpc/contract.ts"
import type { RequestError } from "./error.ts"

/** Whatever a request over HTTP may end with. */
export type HttpError =
  | CommonError
  | RequestError
  | AccountNotConnected
  | DatabaseUnavailable
  | ProviderUnavailable
  | RateLimited
  | ReauthorizationRequired
  | SealBroken

interface Outcome {
  readonly status: number
  readonly title: string
  /** Members of the problem beside the standard ones. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Seconds after which to come back when nobody said when. An overloaded object needs longer than a moved one. */
const unavailableSeconds = 5
const overloadedSeconds = 30

const retryAfter = (seconds: number) => ({ "retry-after": String(seconds) })

/** `Retry-After` in whole seconds, rounded up so that nobody comes back too early. */
const retryAfterMoment = (moment: number, now: number) => retryAfter(Math.max(1, Math.ceil((moment - now) / 1000)))

/** What RFC 6750 section 3 asks for: the error is named only if there was a token. */
const challenge = (reason: "missing" | "invalid") =>
  reason === "missing" ? 'Bearer realm="pollen"' : 'Bearer realm="pollen", error="invalid_token"'

const outcomeOf = (error: HttpError, now: number): Outcome =>
  Match.valueTags(error, {
    InvalidRequest: ({ issues }): Outcome => ({ status: 400, title: "The request is not valid", members: { issues } }),
    Unauthorized: ({ reason }) => ({
      status: 401,
      title: "Not authorized",
      headers: { "www-authenticate": challenge(reason) },
    }),
    NotFound: () => ({ status: 404, title: "Nothing is here" }),
    AccountNotConnected: ({ provider }) => ({ status: 404, title: "Account not connected", members: { provider } }),
    MethodNotAllowed: ({ allowed }) => ({
      status: 405,
      title: "Method not allowed",
      members: { allowed },
      headers: { allow: allowed.join(", ") },
    }),
    Conflict: ({ reason, people }) => ({
      status: 409,
      title: "Not as things are",
      members: people === undefined ? { reason } : { reason, people },
    }),
    ReauthorizationRequired: ({ provider, reason }) => ({
      status: 409,
      title: "The person has to connect again",
      members: { provider, reason },
    }),
    PayloadTooLarge: ({ limit }) => ({ status: 413, title: "The body is too large", members: { limit } }),
    UnsupportedMediaType: () => ({ status: 415, title: "The body is not JSON" }),
    RateLimited: ({ provider, reason, retryAt }) => ({
      status: 429,
      title: "The provider asked to wait",
      members: { provider, reason, retryAt },
      headers: retryAfterMoment(retryAt, now),
    }),
    InternalError: ({ reference }) => ({ status: 500, title: "Something went wrong", members: { reference } }),
    Misconfigured: () => ({ status: 500, title: "pollen is not set up correctly" }),
    SealBroken: ({ provider, reason }) => ({
      status: 500,
      title: "A stored token does not open",
      members: { provider, reason },
    }),
    ProviderUnavailable: ({ provider, reason, retryAt }) => ({
      status: 502,
      title: "The provider is unavailable",
      members: { provider, reason, retryAt },
      headers: retryAt === null ? {} : retryAfterMoment(retryAt, now),
    }),
    ObjectUnavailable: ({ overloaded }) => ({
      status: 503,
      title: "Unavailable for a moment",
      members: { overloaded },
      headers: retryAfter(overloaded ? overloadedSeconds : unavailableSeconds),
    }),
    ServiceUnavailable: ({ service }) => ({
      status: 503,
      title: "Unavailable for a moment",
      members: { service },
      headers: retryAfter(unavailableSeconds),
    }),
    DatabaseUnavailable: () => ({
      status: 503,
      title: "The database is unavailable for a moment",
      headers: retryAfter(unavailableSeconds),
    }),
  })

/** The stable name of an error: `ReauthorizationRequired` is `urn:pollen:problem:reauthorization-required`. */
const problemType = (tag: HttpError["_tag"]): string =>
  `urn:pollen:problem:${Text.pascalToSnake(tag).replaceAll("_", "-")}`

const assemble = (error: HttpError, { status, title, members }: Outcome): ProblemDetails.ProblemDetails => ({
  ...members,
  type: problemType(error._tag),
  status,
  title,
  detail: error.message,
})

/** An error as RFC 9457 writes it. `now` is epoch milliseconds. */
export const toProblem = (error: HttpError, now: number): ProblemDetails.ProblemDetails =>
  assemble(error, outcomeOf(error, now))

/** An error as an `application/problem+json` response, with the headers that belong to its status. */
export const toProblemResponse = (error: HttpError): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const outcome = outcomeOf(error, now)
    return ProblemDetails.toResponse(assemble(error, outcome)).pipe(
      HttpServerResponse.setHeaders(outcome.headers ?? {}),
    )
  })

/** Answers a typed error with its problem, so that handlers fail with errors and nothing else. */
export const answerProblems = <A, R>(
  self: Effect.Effect<A, HttpError, R>,
): Effect.Effect<A | HttpServerResponse.HttpServerResponse, never, R> => Effect.catch(self, toProblemResponse)
