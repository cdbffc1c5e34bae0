import { Effect } from "effect"
import { Hex } from "effect/encoding"
import { HttpServerRequest, HttpServerResponse } from "effect/http"

/** Bytes of the hash that a tag has: enough that no two answers ever share one. */
const hashBytes = 16

/** A weak tag: the same content may be written otherwise by a later version. RFC 9110, 8.8.3. */
const tagOf = (body: Uint8Array<ArrayBuffer>) =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", body)),
    (hash) => `W/"${Hex.encode(new Uint8Array(hash, 0, hashBytes))}"`,
  )

/** Whether `If-None-Match` names a tag, by weak comparison: RFC 9110, 13.1.2. */
const isKnown = (header: string | undefined, tag: string): boolean =>
  (header ?? "").split(",").some((known) => known.trim() === "*" || known.trim() === tag)

/**
 * Gives a good answer to a `GET` an entity tag, and answers 304 to whoever has it already. The work is done all the same: what is saved is
 * the way to the client.
 */
export const withEntityTag = Effect.fnUntraced(function* (response: HttpServerResponse.HttpServerResponse) {
  const { method, headers } = yield* HttpServerRequest.HttpServerRequest
  const { body, status } = response
  if (method !== "GET" || status !== 200 || body._tag !== "Uint8Array") return response
  const tag = yield* tagOf(new Uint8Array(body.body))
  const answer = isKnown(headers["if-none-match"], tag) ? HttpServerResponse.empty({ status: 304 }) : response
  return HttpServerResponse.setHeader(answer, "etag", tag)
})
