import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment } from "./schemas.ts"

/** Whether the drop step can be taken: it drops the token columns of `user_accounts`. */
export const DropState = Schema.Struct({
  /** Whether the token columns have been dropped. */
  isDone: Schema.Boolean,
  /** People who are not `complete` and verified, or for whom D1 still holds an account or has tokens. */
  inTheWay: Schema.Int,
  /** The first 20 of them. */
  people: Schema.Array(
    Schema.Struct({
      userId: Schema.String,
      stage: Schema.NullOr(Schema.String),
      isVerified: Schema.Boolean,
      isHeldByDatabase: Schema.Boolean,
      hasTokens: Schema.Boolean,
    }),
  ),
  /** When this was read: epoch milliseconds. */
  at: Moment,
})
export type DropState = typeof DropState.Type

/** The text that a request for the drop step has to repeat: the step cannot be undone. */
export const dropConfirmation = "drop the token columns"

/** The drop step. Its path is the name of the migration pattern: expand, migrate, contract. */
export class Drop extends HttpApiGroup.make("drop")
  .add(
    HttpApiEndpoint.get("getDropState", "/v1/contract", { success: DropState, error: problemDocument(503) }),
    HttpApiEndpoint.post("dropTokenColumns", "/v1/contract", {
      payload: Schema.Struct({ confirm: Schema.Literal(dropConfirmation) }),
      success: DropState,
      error: [problemDocument(409), problemDocument(413), problemDocument(415), problemDocument(503)],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
