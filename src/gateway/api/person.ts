import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Subscription } from "../../domain/subscription.ts"
import { EpochMillis, TokenEvent } from "../../domain/token.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { AccountStatus } from "../../rpc/methods.ts"
import { Authorization } from "../Authorization.ts"

const Moment = Schema.NullOr(EpochMillis)

// Declared apart from the contract of `getStatus`: what people see does not change unnoticed when the contract does.

/** Everything worth knowing about a person's object. */
const Status = Schema.Struct({
  userId: Schema.String,
  durableObjectId: Schema.String,
  accounts: Schema.Array(AccountStatus),
  /** The subscriptions that fail, and why; at most 100, the longest failing first. */
  failing: Schema.Array(Subscription),
  alarmAt: Moment,
  undelivered: Schema.Int,
  /** Why the database did not take the last delivery; `null` when it did. */
  deliveryFailure: Schema.NullOr(Schema.String),
  /** The newest 50. */
  events: Schema.Array(TokenEvent),
  /** The newest 20, without those by the alarm that asked for nothing. */
  polls: Schema.Array(
    Schema.Struct({
      provider: Provider,
      trigger: Schema.Literals(["alarm", "request"]),
      startedAt: EpochMillis,
      durationMs: Schema.Int,
      outcome: Schema.String,
      asked: Schema.Int,
      failed: Schema.Int,
      itemsFound: Schema.Int,
      requests: Schema.Int,
    }),
  ),
})

const confirm = Schema.optionalKey(Schema.String)

export class Person extends HttpApiGroup.make("person")
  .add(
    HttpApiEndpoint.get("getStatus", "/v1/status", { success: Status, error: problemDocument(503) }),
    HttpApiEndpoint.get("listSubscriptions", "/v1/subscriptions", {
      query: {
        provider: Schema.optionalKey(Provider),
        /** `next` of the page before. */
        cursor: Schema.optionalKey(Schema.String),
        limit: Schema.optionalKey(Schema.Int),
      },
      success: Schema.Struct({ subscriptions: Schema.Array(Subscription), next: Schema.NullOr(Schema.String) }),
      error: problemDocument(503),
    }),
    /** Erases the person. `confirm` repeats their user id, in the query or a header, so that nobody does it by accident. */
    HttpApiEndpoint.delete("forgetMe", "/v1/me", {
      query: { confirm },
      headers: { confirm },
      success: Schema.Struct({ forgotten: Schema.Boolean }),
      error: problemDocument(503),
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
