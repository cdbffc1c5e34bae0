import { type Answer, json } from "../answer.ts"

/** RFC 6749, 5.1 and 5.2: neither tokens nor refusals may be stored on the way. */
export const noStore = { "cache-control": "no-store", pragma: "no-cache" }

/** RFC 6749, 5.2. */
export const oauthError = (status: number, error: string, description: string): Answer =>
  json(status, { error, error_description: description }, noStore)
