import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { CrossSite } from "./error.ts"

/** Methods that change nothing. */
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"])

/**
 * Refuses what a page elsewhere makes a browser send, if it would change something: Cloudflare Access lets the browser's cookie in,
 * whichever page asks. Browsers set both headers, and no page can; programs send neither.
 * `allowed`: origins whose pages may.
 * https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
export const refuseCrossSite = Effect.fnUntraced(function* (allowed: ReadonlySet<string>) {
  const { method, headers, originalUrl } = yield* HttpServerRequest.HttpServerRequest
  if (safeMethods.has(method)) return
  if (allowed.has(headers["origin"] ?? "")) return
  const { origin } = new URL(originalUrl)
  const isForeign = headers["origin"] !== undefined && headers["origin"] !== origin
  if (isForeign || headers["sec-fetch-site"] === "cross-site") return yield* new CrossSite()
})
