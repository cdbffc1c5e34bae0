import { type Answer, json, retryAfterHeader } from "../answer.ts"

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

/** `retryAfter` is the header's text, seconds or not; `undefined` for no header. */
export const spotifyRateLimited = (retryAfter: number | string | undefined, reason?: string): Answer =>
  spotifyError(429, "API rate limit exceeded", {
    ...(reason === undefined ? {} : { reason }),
    headers: retryAfterHeader(retryAfter),
  })
