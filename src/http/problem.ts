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

/** The errors of a request over HTTP. */
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
  /** Members of the problem besides the standard ones. */
  readonly members?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Seconds in `Retry-After` where no time is known. An overloaded object needs longer than one that is being moved. */
const unavailableSeconds = 5
const overloadedSeconds = 30

const retryAfter = (seconds: number) => ({ "retry-after": String(seconds) })

/** `Retry-After` in whole seconds, rounded up so that no client retries too early. */
const retryAfterMoment = (moment: number, now: number) => retryAfter(Math.max(1, Math.ceil((moment - now) / 1000)))

/** The challenge of RFC 6750 section 3: it names the error only if the request had a token. */
const challenge = (reason: "missing" | "invalid") =>
  reason === "missing" ? 'Bearer realm="pollen"' : 'Bearer realm="pollen", error="invalid_token"'

const outcomeOf = (error: HttpError, now: number): Outcome =>
  Match.valueTags(error, {
    InvalidRequest: ({ issues }): Outcome => ({ status: 400, title: "The request is not valid", members: { issues } }),
    Unauthorized: ({ reason }) => ({
      status: 401,
      title: "The request is not authorized",
      headers: { "www-authenticate": challenge(reason) },
    }),
    CrossSite: () => ({ status: 403, title: "The request comes from another site" }),
    NotFound: () => ({ status: 404, title: "The route does not exist" }),
    PersonNotFound: ({ userId }) => ({ status: 404, title: "The person does not exist", members: { userId } }),
    RunNotFound: ({ id }) => ({ status: 404, title: "The run does not exist", members: { id } }),
    AccountNotConnected: ({ provider }) => ({
      status: 404,
      title: "The account is not connected",
      members: { provider },
    }),
    MethodNotAllowed: ({ allowed }) => ({
      status: 405,
      title: "The route does not accept this method",
      members: { allowed },
      headers: { allow: allowed.join(", ") },
    }),
    Conflict: ({ reason, people }) => ({
      status: 409,
      title: "The request conflicts with the current state",
      members: people === undefined ? { reason } : { reason, people },
    }),
    PersonForgotten: () => ({ status: 409, title: "The person has been erased" }),
    ReauthorizationRequired: ({ provider, reason }) => ({
      status: 409,
      title: "The person has to connect again",
      members: { provider, reason },
    }),
    PayloadTooLarge: ({ limit }) => ({ status: 413, title: "The body is too large", members: { limit } }),
    UnsupportedMediaType: () => ({ status: 415, title: "The body is not JSON" }),
    PolledTooSoon: ({ retryAt, accounts, delivered, undelivered }) => ({
      status: 429,
      title: "A poll was requested a moment ago",
      members: { retryAt, accounts, delivered, undelivered },
      headers: retryAfterMoment(retryAt, now),
    }),
    RateLimited: ({ provider, reason, retryAt }) => ({
      status: 429,
      title: "The provider limits the rate of requests",
      members: { provider, reason, retryAt },
      headers: retryAfterMoment(retryAt, now),
    }),
    InternalError: ({ reference }) => ({ status: 500, title: "An internal error occurred", members: { reference } }),
    Misconfigured: () => ({ status: 500, title: "pollen is not configured correctly" }),
    SealBroken: ({ provider, reason }) => ({
      status: 500,
      title: "A sealed token cannot be opened",
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
      title: "The object is temporarily unavailable",
      members: { overloaded },
      headers: retryAfter(overloaded ? overloadedSeconds : unavailableSeconds),
    }),
    ServiceUnavailable: ({ service }) => ({
      status: 503,
      title: "A platform service is temporarily unavailable",
      members: { service },
      headers: retryAfter(unavailableSeconds),
    }),
    DatabaseUnavailable: () => ({
      status: 503,
      title: "The database is temporarily unavailable",
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

/** Turns an error into a problem document (RFC 9457). `now` is epoch milliseconds. */
export const toProblem = (error: HttpError, now: number): ProblemDetails.ProblemDetails =>
  assemble(error, outcomeOf(error, now))

/** Turns an error into an `application/problem+json` response, with the headers of its status. */
export const toProblemResponse = (error: HttpError): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const outcome = outcomeOf(error, now)
    return ProblemDetails.toResponse(assemble(error, outcome)).pipe(
      HttpServerResponse.setHeaders(outcome.headers ?? {}),
    )
  })

/** Answers a typed error with its problem document, so that a handler may simply fail. */
export const answerProblems = <A, R>(
  self: Effect.Effect<A, HttpError, R>,
): Effect.Effect<A | HttpServerResponse.HttpServerResponse, never, R> => Effect.catch(self, toProblemResponse)
