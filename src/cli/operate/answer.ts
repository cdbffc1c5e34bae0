import { Effect, Option, Schema } from "effect"
import { HttpClientError, type HttpClientResponse, ProblemDetails } from "effect/http"
import { toInvalidRequest } from "../../rpc/serve.ts"
import { type CommandError, Failed, Missing, Misused, Refused, Unreachable, WrongUrl } from "../exit.ts"
import { isCheckout } from "../typed.ts"
import type { WorkerEndpoint } from "./workerEndpoint.ts"

const Issues = Schema.Struct({
  issues: Schema.NonEmptyArray(Schema.Struct({ path: Schema.String, message: Schema.String })),
})

const decodeProblem = Schema.decodeUnknownOption(Schema.fromJsonString(ProblemDetails.Schema))
const decodeIssues = Schema.decodeUnknownOption(Issues)

const notFound = "urn:pollen:problem:not-found"

/** `path: message` of each issue. */
export const renderIssues = (issues: ReadonlyArray<{ readonly path: string; readonly message: string }>): string =>
  issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ")

/** The words of a problem (RFC 9457): its title with the fields that are wrong, or else its detail. */
const renderProblem = (problem: ProblemDetails.ProblemDetails): string =>
  Option.match(decodeIssues(problem), {
    onNone: () => problem.detail ?? problem.title ?? "it does not say why",
    onSome: ({ issues }) => `${problem.title ?? "The request is not valid"}: ${renderIssues(issues)}`,
  })

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

const access = "POLLEN_ACCESS_CLIENT_ID and POLLEN_ACCESS_CLIENT_SECRET"

/** The error for an answer of something that is not pollen: a proxy, Cloudflare Access, another site. */
const fromStranger = (url: string, status: number, problem: ProblemDetails.ProblemDetails | undefined): CommandError =>
  new Failed({
    message: `${url} answered ${status}${problem === undefined ? "" : ` (${renderProblem(problem)})`}, and not as a migration worker does: check the URL and, where Cloudflare Access protects it, ${access}.`,
  })

interface Answer {
  readonly status: number
  readonly isProblem: boolean
  readonly text: string
}

/** The error for an answer that is no success. */
const toCommandError = (url: string, { status, isProblem, text }: Answer): CommandError => {
  const problem = Option.getOrUndefined(decodeProblem(text))
  if (problem === undefined || !problem.type.startsWith("urn:pollen:")) {
    return fromStranger(url, status, isProblem ? problem : undefined)
  }
  const detail = sentence(renderProblem(problem))
  switch (status) {
    case 400:
      return new Misused({ message: detail })
    case 401:
    case 403:
      return new Failed({
        message: `${url} does not accept this credential: check POLLEN_ADMIN_TOKEN, or the file of --credential-file.`,
      })
    case 404:
      return problem.type === notFound
        ? new WrongUrl({ message: `${url} is not the URL of a migration worker; check it. ${detail}` })
        : new Missing({ message: detail })
    case 409:
      return new Refused({ message: detail })
    case 503:
      return new Unreachable({ message: `${detail} Try again in a moment.` })
    default:
      return new Failed({ message: detail })
  }
}

/** Turns an answer that is no success into a `CommandError`. */
export const refuseProblem =
  (url: string) =>
  (
    response: HttpClientResponse.HttpClientResponse,
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, CommandError> =>
    response.status < 300
      ? Effect.succeed(response)
      : Effect.flatMap(
          Effect.orElseSucceed(response.text, () => ""),
          (text) => {
            const isProblem = response.headers["content-type"]?.startsWith(ProblemDetails.contentType) ?? false
            return Effect.fail(toCommandError(url, { status: response.status, isProblem, text }))
          },
        )

/** Turns any other failure of a request into a `CommandError`. `isSent` is false while the request was not even sent. */
export const toFailed = (
  { url, isLocal }: Pick<WorkerEndpoint, "url" | "isLocal">,
  error: unknown,
  isSent: boolean,
): CommandError => {
  if (isCommandError(error)) return error
  if (HttpClientError.isHttpClientError(error) && error.reason._tag === "TransportError") {
    return new Unreachable({
      message: `The migration worker cannot be reached at ${url}: ${
        isLocal && isCheckout
          ? "run `npm start` in another terminal and leave it running"
          : "check the URL, and that the worker runs"
      }.`,
    })
  }
  if (!isSent && Schema.isSchemaError(error)) {
    return new Misused({
      message: `The request is not valid, and was not sent: ${renderIssues(toInvalidRequest("request", error).issues)}.`,
    })
  }
  return new Failed({
    message: `This version of pollen does not understand the answer of ${url}: check the URL, and that worker and command have one version.`,
  })
}

const commandErrors = [Failed, Unreachable, Missing, WrongUrl, Misused, Refused]

const isCommandError = (error: unknown): error is CommandError => commandErrors.some((one) => error instanceof one)
