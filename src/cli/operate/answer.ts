import { Effect, Option, Schema } from "effect"
import { HttpClientError, type HttpClientResponse, ProblemDetails } from "effect/http"
import { type CommandError, Failed, Missing, Misused, Refused, Unreachable } from "../exit.ts"
import type { WorkerEndpoint } from "./workerEndpoint.ts"

const Issues = Schema.Struct({ issues: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) })

const decodeProblem = Schema.decodeUnknownOption(Schema.fromJsonString(ProblemDetails.Schema))
const decodeIssues = Schema.decodeUnknownOption(Issues)

/** What is wrong in which field, where the worker names fields. */
const renderIssues = (problem: ProblemDetails.ProblemDetails): string =>
  Option.match(decodeIssues(problem), {
    onNone: () => problem.detail ?? problem.title ?? "",
    onSome: ({ issues }) => issues.map(({ path, message }) => `${path}: ${message}`).join("; "),
  })

const sentence = (text: string): string => (/[.!?…]$/.test(text) ? text : `${text}.`)

/** An answer that is no success, as what the command ends with. */
const toCommandError = (url: string, status: number, text: string): CommandError => {
  const problem = Option.getOrUndefined(decodeProblem(text))
  if (problem === undefined || !problem.type.startsWith("urn:pollen:")) {
    return new Failed({
      message: `${url} answered ${status}, and not as a migration worker does: check the URL, and where Cloudflare Access stands in front, POLLEN_ACCESS_CLIENT_ID and POLLEN_ACCESS_CLIENT_SECRET.`,
    })
  }
  const detail = sentence(renderIssues(problem))
  switch (status) {
    case 400:
      return new Misused({ message: detail })
    case 401:
    case 403:
      return new Failed({
        message: `${url} does not let this credential in: check POLLEN_ADMIN_TOKEN, or the file given with --credential-file.`,
      })
    case 404:
      return new Missing({ message: detail })
    case 409:
      return new Refused({ message: detail })
    case 503:
      return new Unreachable({ message: `${detail} Try again in a moment.` })
    default:
      return new Failed({ message: detail })
  }
}

/** Turns an answer that is no success into a sentence, before anything else looks at it. */
export const refuseProblem =
  (url: string) =>
  (
    response: HttpClientResponse.HttpClientResponse,
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, CommandError> =>
    response.status < 300
      ? Effect.succeed(response)
      : Effect.flatMap(
          Effect.orElseSucceed(response.text, () => ""),
          (text) => Effect.fail(toCommandError(url, response.status, text)),
        )

/** Whatever else can go wrong between here and the worker. */
export const toFailed = ({ url, isLocal }: Pick<WorkerEndpoint, "url" | "isLocal">, error: unknown): CommandError => {
  if (isCommandError(error)) return error
  if (HttpClientError.isHttpClientError(error) && error.reason._tag === "TransportError") {
    return new Unreachable({
      message: `The migration worker cannot be reached at ${url}: ${
        isLocal
          ? "run npm start in another terminal and leave it running"
          : "check the URL, and that the worker is deployed"
      }.`,
    })
  }
  return new Failed({
    message: `${url} answered in a way that this version of pollen does not understand: check the URL, and that the worker and this checkout are of one version.`,
  })
}

const commandErrors = [Failed, Unreachable, Missing, Misused, Refused]

const isCommandError = (error: unknown): error is CommandError => commandErrors.some((one) => error instanceof one)
