import { Effect } from "effect"
import { HttpMiddleware, type HttpServerRequest, type HttpServerResponse } from "effect/http"
import { Misconfigured } from "../domain/error.ts"

/** How long a browser remembers the answer to a preflight, in seconds. */
const preflightSeconds = 600

/** Whether a text is an origin: `https://app.example`, and `http` on one's own machine alone. */
const isOrigin = (text: string): boolean => {
  const url = URL.parse(text)
  return url?.origin === text && (url.protocol === "https:" || /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname))
}

/** Reads the origins whose pages may ask, from a variable: separated by commas. None is none. */
export const readOrigins = Effect.fnUntraced(function* (name: string, text: string) {
  const origins = text
    .split(",")
    .map((origin) => origin.trim())
    .filter((origin) => origin !== "")
  const wrong = origins.find((origin) => !isOrigin(origin))
  if (wrong === undefined) return new Set(origins)
  return yield* new Misconfigured({
    problem: `${name} has "${wrong.slice(0, 100)}", which is no origin: write them like https://app.example, without a path, separated by commas`,
  })
})

/** Lets pages of these origins read the answers, and answers their preflights. https://fetch.spec.whatwg.org/#http-cors-protocol */
export const withOrigins =
  (origins: ReadonlySet<string>) =>
  <E, R>(route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
    origins.size === 0
      ? (route as Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest>)
      : HttpMiddleware.cors({
          allowedOrigins: (origin) => origins.has(origin),
          allowedMethods: ["GET", "HEAD", "PUT", "POST", "DELETE"],
          allowedHeaders: ["authorization", "content-type", "if-none-match"],
          exposedHeaders: ["etag", "retry-after", "www-authenticate"],
          maxAge: preflightSeconds,
        })(route)
