import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Holder, Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, people, whole } from "./schemas.ts"

/** People that one request verifies or exports at most. */
const atOnce = 500

/** State of the step under way, or of the last one. */
export const StepState = Schema.Literals(["pending", "copying", "verifying", "migrated", "failed", "rolled_back"])
export type StepState = typeof StepState.Type

/** An account as the object has it. */
const ObjectAccount = Schema.Struct({
  epoch: Schema.Int,
  isHolder: Schema.Boolean,
  state: Schema.String,
  /** Why the seal does not open; `null` when it does. */
  reason: Schema.NullOr(Schema.String),
  /** Whether D1 has the same grant; `null` where D1 has none to compare. */
  isSame: Schema.NullOr(Schema.Boolean),
})

const Account = Schema.Struct({
  provider: Schema.String,
  isActive: Schema.Boolean,
  state: Schema.String,
  holder: Holder,
  epoch: Schema.Int,
  /** Whether D1 has tokens of the account. */
  hasTokens: Schema.Boolean,
  expiresAt: Moment,
  /** `null` where the object has nothing yet, or did not answer. */
  object: Schema.NullOr(ObjectAccount),
})

/** A step of the move that a person took, or failed to take. */
export const TakenStep = Schema.Struct({
  at: Schema.Int,
  from: Stage,
  to: Stage,
  outcome: Schema.String,
  reason: Schema.NullOr(Schema.String),
  runId: Schema.NullOr(Schema.String),
})

export const Person = Schema.Struct({
  userId: Schema.String,
  /** The stage that the person is at; `null` if all their accounts started in an object. */
  stage: Schema.NullOr(Stage),
  /** The stage at which the person should be, by the flags and the ceiling. */
  target: Schema.NullOr(Stage),
  /** 0 to 9,999: a percentage above `bucket / 100` includes the person. */
  bucket: Schema.Int,
  /** The last stage that the person may reach, set by a rollback; `null` without one. */
  ceiling: Schema.NullOr(Stage),
  state: Schema.NullOr(StepState),
  /** Why the last step failed; `null` unless it did. */
  reason: Schema.NullOr(Schema.String),
  /** Why the rows of the person, as they are now, cannot be copied to an object; `null` when nothing prevents it. */
  obstacle: Schema.NullOr(Schema.Struct({ reason: Schema.String, detail: Schema.String })),
  attempts: Schema.Int,
  nextAttemptAt: Moment,
  verifiedAt: Moment,
  runId: Schema.NullOr(Schema.String),
  durableObjectId: Schema.NullOr(Schema.String),
  accounts: Schema.Array(Account),
  /** The newest 100 steps. */
  history: Schema.Array(TakenStep),
})
export type Person = typeof Person.Type

const page = {
  /** These people; everybody, a page at a time, by default. */
  people: Schema.optionalKey(people(atOnce)),
  /** `next` of the page before. */
  cursor: Schema.optionalKey(UserId),
  limit: Schema.optionalKey(whole(1, atOnce)),
}

export const Verify = Schema.Struct({
  ...page,
  /** Whether each access token is also used once at its provider. */
  probe: Schema.optionalKey(Schema.Boolean),
})
export type Verify = typeof Verify.Type

export const Verification = Schema.Struct({
  checked: Schema.Int,
  /** People who are not as their stage says, each with a stable reason and a description. */
  problems: Schema.Array(
    Schema.Struct({ userId: Schema.String, stage: Schema.NullOr(Stage), reason: Schema.String, detail: Schema.String }),
  ),
  next: Schema.NullOr(Schema.String),
})
export type Verification = typeof Verification.Type

/** A JSON Web Key (RFC 7517): a public key on P-256, P-384, P-521 or X25519, or 32 bytes of a symmetric one. */
export const Recipient = Schema.Struct({
  kty: Schema.Literals(["EC", "OKP", "oct"]),
  crv: Schema.optionalKey(Schema.String),
  x: Schema.optionalKey(Schema.String),
  y: Schema.optionalKey(Schema.String),
  k: Schema.optionalKey(Schema.RedactedFromValue(Schema.String)),
  kid: Schema.optionalKey(Schema.String),
  /** A private key is refused: it must not leave its owner. */
  d: Schema.optionalKey(Schema.Never),
})
export type Recipient = typeof Recipient.Type

export const Export = Schema.Struct({
  ...page,
  /** The key to which the export is encrypted. A private key is refused. */
  recipient: Recipient,
})
export type Export = typeof Export.Type

export const Exported = Schema.Struct({
  people: Schema.Array(
    Schema.Struct({
      userId: Schema.String,
      /** RFC 7516, compact: `{userId, exportedAt, accounts: [{provider, state, holder, accessToken, refreshToken, expiresAt, scope, authorizedAt, client}]}`. */
      jwe: Schema.String,
    }),
  ),
  /** People who could not be exported, and why. */
  failed: Schema.Array(Schema.Struct({ userId: Schema.String, reason: Schema.String })),
  next: Schema.NullOr(Schema.String),
})
export type Exported = typeof Exported.Type

const EndPauses = Schema.Struct({
  /** All unless given. */
  provider: Schema.optionalKey(Provider),
})

/** The accounts that were paused. */
const EndedPauses = Schema.Struct({ ended: Schema.Array(Provider) })

const Redelivered = Schema.Struct({
  /** Items that D1 has taken, rows that wait to be sent again by themselves, and rows that it refuses still. */
  delivered: Schema.Int,
  undelivered: Schema.Int,
  setAside: Schema.Int,
})

const one = {
  params: { userId: UserId },
  error: [problemDocument(404), problemDocument(413), problemDocument(415), problemDocument(503)],
}
const body = [problemDocument(413), problemDocument(415), problemDocument(503)] as const

export class People extends HttpApiGroup.make("people")
  .add(
    HttpApiEndpoint.get("getPerson", "/v1/people/:userId", {
      params: { userId: UserId },
      success: Person,
      error: [problemDocument(404), problemDocument(503)],
    }),
    HttpApiEndpoint.post("endPauses", "/v1/people/:userId/end-pauses", {
      ...one,
      payload: EndPauses,
      success: EndedPauses,
    }).annotate(
      OpenApi.Description,
      "Ends the pauses that providers asked for (`Retry-After`, a used-up quota) for this person's object, which goes on at once.",
    ),
    HttpApiEndpoint.post("redeliver", "/v1/people/:userId/redeliver", { ...one, success: Redelivered }).annotate(
      OpenApi.Description,
      "Sends D1 again the rows that it refused for what they are, and that the person's object has set aside.",
    ),
    HttpApiEndpoint.post("verify", "/v1/verifications", { payload: Verify, success: Verification, error: [...body] }),
    HttpApiEndpoint.post("exportTokens", "/v1/exports", { payload: Export, success: Exported, error: [...body] }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
