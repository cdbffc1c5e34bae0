import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Holder, Stage } from "../../domain/stage.ts"
import { UserId } from "../../domain/user.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Moment, people, whole } from "./schemas.ts"

/** Most people that one request verifies or exports. */
const atOnce = 500

/** `pending` to `migrated` or `rolled_back`: how the step under way, or the last one, stands. */
export const StepState = Schema.Literals(["pending", "copying", "verifying", "migrated", "failed", "rolled_back"])
export type StepState = typeof StepState.Type

/** What the object says of an account. */
const ObjectAccount = Schema.Struct({
  epoch: Schema.Int,
  isHolder: Schema.Boolean,
  state: Schema.String,
  /** Why the seal does not open; `null` when it does. */
  reason: Schema.NullOr(Schema.String),
  /** Whether it is what D1 has; `null` where D1 has nothing to compare. */
  isSame: Schema.NullOr(Schema.Boolean),
})

const Account = Schema.Struct({
  provider: Schema.String,
  isActive: Schema.Boolean,
  state: Schema.String,
  holder: Holder,
  epoch: Schema.Int,
  /** Whether D1 has tokens of it. */
  hasTokens: Schema.Boolean,
  expiresAt: Moment,
  /** `null` for somebody whose object has nothing yet, and where it could not be asked. */
  object: Schema.NullOr(ObjectAccount),
})

export const Person = Schema.Struct({
  userId: Schema.String,
  /** Where the person is; `null` for somebody whose accounts began in an object. */
  stage: Schema.NullOr(Stage),
  /** Where the flags, and what a rollback left, say that they should be. */
  target: Schema.NullOr(Stage),
  /** 0 to 9,999: the part of a percentage into which the person falls. */
  bucket: Schema.Int,
  /** Beyond which stage a rollback keeps them from going. */
  ceiling: Schema.NullOr(Stage),
  state: Schema.NullOr(StepState),
  reason: Schema.NullOr(Schema.String),
  attempts: Schema.Int,
  nextAttemptAt: Moment,
  verifiedAt: Moment,
  runId: Schema.NullOr(Schema.String),
  durableObjectId: Schema.NullOr(Schema.String),
  accounts: Schema.Array(Account),
  /** The newest 100. */
  history: Schema.Array(
    Schema.Struct({
      at: Schema.Int,
      from: Stage,
      to: Stage,
      outcome: Schema.String,
      reason: Schema.NullOr(Schema.String),
      runId: Schema.NullOr(Schema.String),
    }),
  ),
})
export type Person = typeof Person.Type

const page = {
  /** These people; everybody, a page at a time, unless given. */
  people: Schema.optionalKey(people(atOnce)),
  /** `next` of the page before. */
  cursor: Schema.optionalKey(UserId),
  limit: Schema.optionalKey(whole(1, atOnce)),
}

export const Verify = Schema.Struct({
  ...page,
  /** Whether each grant is used once at its provider as well. */
  probe: Schema.optionalKey(Schema.Boolean),
})
export type Verify = typeof Verify.Type

export const Verification = Schema.Struct({
  checked: Schema.Int,
  /** What is not as it should be: who, of which provider, a stable name, and words. */
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
  /** The private part of a key, which stays where it is. */
  d: Schema.optionalKey(Schema.Never),
})
export type Recipient = typeof Recipient.Type

export const Export = Schema.Struct({
  ...page,
  /** Whose key opens the export. A private key is refused. */
  recipient: Recipient,
})
export type Export = typeof Export.Type

export const Exported = Schema.Struct({
  people: Schema.Array(
    Schema.Struct({
      userId: Schema.String,
      /** RFC 7516, compact: `{userId, exportedAt, accounts: [{provider, state, holder, accessToken, refreshToken, expiresAt, scope}]}`. */
      jwe: Schema.String,
    }),
  ),
  /** Who could not be exported, and why. */
  failed: Schema.Array(Schema.Struct({ userId: Schema.String, reason: Schema.String })),
  next: Schema.NullOr(Schema.String),
})
export type Exported = typeof Exported.Type

const body = [problemDocument(413), problemDocument(415), problemDocument(503)] as const

export class People extends HttpApiGroup.make("people")
  .add(
    HttpApiEndpoint.get("getPerson", "/v1/people/:userId", {
      params: { userId: UserId },
      success: Person,
      error: [problemDocument(404), problemDocument(503)],
    }),
    HttpApiEndpoint.post("verify", "/v1/verifications", { payload: Verify, success: Verification, error: [...body] }),
    HttpApiEndpoint.post("exportTokens", "/v1/exports", { payload: Export, success: Exported, error: [...body] }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
