import { type Answer, json, retryAfterHeader } from "../answer.ts"

export interface YoutubeRefusal {
  readonly code: number
  readonly reason: string
  readonly message: string
  /** `youtube.quota`, `usageLimits`, `global` or the name of a resource with `youtube.` before it. */
  readonly domain?: string
  readonly location?: string
  readonly locationType?: "parameter" | "header"
  /** As `google.rpc.Code` words it; newer parts of the service add it. */
  readonly status?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The one shape of refusal: `error.errors[].reason` is what clients go by. */
export const youtubeError = ({
  code,
  reason,
  message,
  domain = "global",
  location,
  locationType = "parameter",
  status,
  headers = {},
}: YoutubeRefusal): Answer => {
  const place = location === undefined ? {} : { location, locationType }
  const error = { code, message, errors: [{ message, domain, reason, ...place }], ...(status ? { status } : {}) }
  const challenge = code === 401 ? { "www-authenticate": 'Bearer realm="https://accounts.google.com/"' } : {}
  return json(code, { error }, { ...challenge, ...headers })
}

export const quotaExceeded: Answer = youtubeError({
  code: 403,
  domain: "youtube.quota",
  reason: "quotaExceeded",
  message:
    'The request cannot be completed because you have exceeded your <a href="/youtube/v3/getting-started#quota">quota</a>.',
})

export const youtubeRateLimited = (reason = "rateLimitExceeded", retryAfter?: number | string): Answer =>
  youtubeError({
    code: 403,
    domain: "usageLimits",
    reason,
    message: reason === "userRateLimitExceeded" ? "User Rate Limit Exceeded" : "Rate Limit Exceeded",
    headers: retryAfterHeader(retryAfter),
  })

/** How the service words a status when nothing more is known about the cause. */
export const youtubeStatus = (code: number): Answer => {
  if (code === 401) return invalidCredentials
  const reason = code >= 500 ? "backendError" : code === 403 ? "forbidden" : code === 404 ? "notFound" : "badRequest"
  return youtubeError({ code, reason, message: code >= 500 ? "Backend Error" : "The request was refused." })
}

export const invalidCredentials: Answer = youtubeError({
  code: 401,
  reason: "authError",
  message:
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
  location: "Authorization",
  locationType: "header",
  status: "UNAUTHENTICATED",
})
