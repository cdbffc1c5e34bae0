import { type Answer, json } from "../answer.ts"

/** The Web API's one shape of refusal. */
export const spotifyError = (
  status: number,
  message: string,
  more: { readonly reason?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Answer =>
  json(
    status,
    { error: { status, message, ...(more.reason === undefined ? {} : { reason: more.reason }) } },
    more.headers,
  )

export const spotifyRateLimited = (retryAfterSeconds: number, reason?: string): Answer =>
  spotifyError(429, "API rate limit exceeded", {
    ...(reason === undefined ? {} : { reason }),
    headers: { "retry-after": String(retryAfterSeconds) },
  })
