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
  /** Whether anybody has reached `complete` or started in an object. The drop step is refused otherwise, unless `nobodyEverMoved`. */
  hasAnybodyMoved: Schema.Boolean,
  /** When this was read: epoch milliseconds. */
  at: Moment,
})
export type DropState = typeof DropState.Type

/** The text that a request for the drop step has to repeat: the step cannot be undone. */
export const dropConfirmation = "drop the token columns"

// A literal would be taken for the name of a variant, and the problem would not name the field.
const Confirmation = Schema.String.check(
  Schema.makeFilter((text: string) => (text === dropConfirmation ? undefined : `must be "${dropConfirmation}"`)),
)

/** The drop step. Its path is the name of the migration pattern: expand, migrate, contract. */
export class Drop extends HttpApiGroup.make("drop")
  .add(
    HttpApiEndpoint.get("getDropState", "/v1/contract", { success: DropState, error: problemDocument(503) }),
    HttpApiEndpoint.post("dropTokenColumns", "/v1/contract", {
      payload: Schema.Struct({
        confirm: Confirmation,
        /** Confirms that the system is new, or empty for good: nobody has moved, and nobody is going to. */
        nobodyEverMoved: Schema.optionalKey(Schema.Boolean),
      }),
      success: DropState,
      error: [problemDocument(409), problemDocument(413), problemDocument(415), problemDocument(503)],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
