import type { Fault } from "../model.ts"
import { type Answer, type Call, json, retryAfterHeader, text } from "./answer.ts"
import { googleDialect, spotifyDialect } from "./oauth/dialect.ts"
import { noStore, oauthError } from "./oauth/error.ts"
import { redirect } from "./redirect.ts"
import { spotifyError, spotifyRateLimited } from "./spotify/error.ts"
import type { Described } from "./state/matching.ts"
import { quotaExceeded, youtubeRateLimited, youtubeStatus } from "./youtube/error.ts"

const proxyPage = `<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>`

const statusAnswer = (request: Described, status: number): Answer => {
  if (request.kind === "token") {
    return status >= 500
      ? json(status, { error: "server_error", error_description: "Internal error" }, noStore)
      : oauthError(status, status === 401 ? "invalid_client" : "invalid_request", "The request was refused")
  }
  return request.provider === "spotify" ? spotifyError(status, messageOf(status)) : youtubeStatus(status)
}

const messageOf = (status: number): string => {
  if (status === 401) return "The access token expired"
  if (status === 403) return "Forbidden"
  if (status === 404) return "Resource not found"
  if (status === 503) return "Service temporarily unavailable"
  return status >= 500 ? "Server error" : "Bad request"
}

const rateLimited = (request: Described, retryAfter: number | string | undefined, reason?: string): Answer => {
  if (request.kind === "token") {
    const answer = oauthError(429, "temporarily_unavailable", "Too many requests")
    return { ...answer, headers: { ...answer.headers, ...retryAfterHeader(retryAfter) } }
  }
  return request.provider === "spotify"
    ? spotifyRateLimited(retryAfter, reason)
    : youtubeRateLimited(reason, retryAfter)
}

/** What a fault puts in place of the answer; `undefined` for those that spoil the delivery and not the words. */
export const faultAnswer = (request: Described, call: Call, fault: Fault): Answer | undefined => {
  switch (fault.type) {
    case "status": {
      const usual = statusAnswer(request, fault.status)
      const answer =
        fault.body === undefined
          ? usual
          : typeof fault.body === "string"
            ? text(fault.status, fault.body)
            : json(fault.status, fault.body)
      return { ...answer, headers: { ...answer.headers, ...lowerCased(fault.headers ?? {}) } }
    }
    case "rate_limited":
      return rateLimited(request, fault.retryAfter ?? fault.retryAfterSeconds, fault.reason)
    case "quota_exceeded":
      return request.provider === "spotify" ? spotifyRateLimited(3600, "QUOTA_EXCEEDED") : quotaExceeded
    case "html":
      return { ...text(fault.status ?? 200, proxyPage), headers: { "content-type": "text/html" } }
    case "redirect":
      return redirect(call, fault)
    case "not_modified":
      return { status: 304, headers: {}, body: "" }
    case "invalid_grant": {
      const dialect = request.provider === "spotify" ? spotifyDialect : googleDialect
      return oauthError(400, "invalid_grant", dialect.deadRefreshToken)
    }
    case "patch":
    case "huge":
    case "hang":
    case "reset":
    case "truncated":
    case "slow":
      return undefined
  }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
