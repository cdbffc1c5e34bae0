import type { Answer, Call } from "../answer.ts"
import { youtubeError } from "./error.ts"

export interface Page {
  readonly limit: number
  readonly offset: number
}

/** What `part` asks for; an unknown part and none at all are refused. */
export const partsOf = (call: Call, known: ReadonlyArray<string>): ReadonlySet<string> | Answer => {
  const asked = call.query.getAll("part").flatMap((value) => value.split(","))
  const parts = new Set(asked.map((part) => part.trim()).filter((part) => part !== ""))
  if (parts.size === 0) {
    return youtubeError({
      code: 400,
      reason: "missingRequiredParameter",
      message: "Required parameter: part",
      location: "part",
    })
  }
  for (const part of parts) {
    if (!known.includes(part)) {
      return youtubeError({
        code: 400,
        domain: "youtube.part",
        reason: "unknownPart",
        message: `'${part}'`,
        location: "part",
      })
    }
  }
  return parts
}

// Opaque to clients, and unlike an offset to the eye, so that nobody is tempted to count with it.
const tokenPrefix = "PT:"
const pageToken = (offset: number): string =>
  `EAAa${Buffer.from(tokenPrefix + offset.toString(36).padStart(6, "0")).toString("base64url")}`

const offsetOf = (token: string): number => {
  const inner = token.startsWith("EAAa") ? Buffer.from(token.slice(4), "base64url").toString() : ""
  return /^PT:[0-9a-z]{6}$/.test(inner) ? Number.parseInt(inner.slice(tokenPrefix.length), 36) : Number.NaN
}

/** `maxResults`, 5 unless told and at most 50, and `pageToken`. */
export const pageOf = (call: Call): Page | Answer => {
  const asked = call.query.get("maxResults")
  const limit = asked === null ? 5 : /^\d+$/.test(asked) ? Number(asked) : Number.NaN
  if (!(limit >= 0 && limit <= 50)) {
    return youtubeError({
      code: 400,
      reason: "invalidParameter",
      message: `Invalid value '${asked}'. Values must be within the range: [0, 50]`,
      location: "maxResults",
    })
  }
  const token = call.query.get("pageToken")
  const offset = token === null || token === "" ? 0 : offsetOf(token)
  if (Number.isNaN(offset)) {
    return youtubeError({
      code: 400,
      domain: "youtube.parameter",
      reason: "invalidPageToken",
      message: "The request specifies an invalid page token.",
      location: "pageToken",
    })
  }
  return { limit, offset }
}

/** A list answer. A page token is there only where there is a page. */
export const listAnswer = <T>(
  kind: string,
  etag: string,
  items: ReadonlyArray<T>,
  { limit, offset }: Page,
  total: number,
) => ({
  kind,
  etag,
  ...(offset + limit < total && limit > 0 ? { nextPageToken: pageToken(offset + limit) } : {}),
  ...(offset > 0 ? { prevPageToken: pageToken(Math.max(0, offset - limit)) } : {}),
  pageInfo: { totalResults: total, resultsPerPage: limit },
  items,
})
