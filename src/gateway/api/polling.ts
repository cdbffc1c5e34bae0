import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { AccountPoll } from "../../rpc/methods.ts"
import { Authorization } from "../Authorization.ts"

/** How a poll went. */
export const PollSummary = Schema.Struct({
  accounts: Schema.Array(AccountPoll),
  /** Items that reached the feed, and what waits because the database did not take it. */
  delivered: Schema.Int,
  undelivered: Schema.Int,
})

export class Polling extends HttpApiGroup.make("polling")
  .add(
    HttpApiEndpoint.post("pollNow", "/v1/poll", {
      headers: { accept: Schema.optionalKey(Schema.String) },
      success: PollSummary,
      error: [problemDocument(429), problemDocument(503)],
    }).annotate(
      OpenApi.Description,
      "Polls everything the person follows. With `Accept: text/event-stream` the answer is a stream of `progress` events, " +
        "one per source, and then one `done` with the summary or one `problem` with problem details. A poll that is requested " +
        "too soon after the one before is answered with 429 and `Retry-After`.",
    ),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
