import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Mapping } from "./mapping.ts"
import { Moment, whole } from "./schemas.ts"

/** Where a page of an old table ended: the key of its last row. */
const Key = Schema.Union([Schema.Finite, Schema.String])

/** A row that cannot be taken in, and why: a stable name, and words. */
const RefusedRow = Schema.Struct({
  key: Key,
  reason: Schema.Literals([
    "no_user",
    "unknown_provider",
    "duplicate_account",
    "no_access_token",
    "no_refresh_token",
    "unreadable_time",
    "unreadable_scope",
    "too_long",
  ]),
  detail: Schema.String,
})
export type RefusedRow = typeof RefusedRow.Type

export const Check = Schema.Struct({
  /** Rows in the table. */
  rows: Schema.Int,
  sampled: Schema.Int,
  understood: Schema.Int,
  providers: Schema.Array(Schema.Struct({ provider: Provider, rows: Schema.Int })),
  /** What the first rows were taken for. Never a token: `hasTokens` says that they were there. */
  examples: Schema.Array(
    Schema.Struct({
      key: Key,
      userId: Schema.String,
      provider: Provider,
      /** ISO 8601, UTC. */
      expiresAt: Schema.String,
      scope: Schema.Array(Schema.String),
      isActive: Schema.Boolean,
    }),
  ),
  refused: Schema.Array(RefusedRow),
})
export type Check = typeof Check.Type

export const IntakePage = Schema.Struct({
  /** Rows read, accounts that are new here, and accounts that pollen had already and that were left as they are. */
  read: Schema.Int,
  taken: Schema.Int,
  kept: Schema.Int,
  refused: Schema.Array(RefusedRow),
  /** `null` at the end of the table. */
  next: Schema.NullOr(Key),
})
export type IntakePage = typeof IntakePage.Type

const body = [problemDocument(413), problemDocument(415), problemDocument(503)] as const

export class Tables extends HttpApiGroup.make("tables")
  .add(
    HttpApiEndpoint.post("checkTable", "/v1/tables/check", {
      payload: Schema.Struct({
        mapping: Mapping,
        /** Rows to read, from the start of the table; 500 unless said. */
        sample: Schema.optionalKey(whole(1, 5000)),
      }),
      success: Check,
      error: [...body],
    }),
    HttpApiEndpoint.post("takeIn", "/v1/tables/intake", {
      payload: Schema.Struct({
        mapping: Mapping,
        /** `next` of the page before. */
        cursor: Schema.optionalKey(Key),
        /** Rows to read; 500 unless said. */
        limit: Schema.optionalKey(whole(1, 5000)),
        isDry: Schema.optionalKey(Schema.Boolean),
      }),
      success: IntakePage,
      error: [...body],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}

export const ContractState = Schema.Struct({
  /** Whether the token columns are gone already. */
  isDone: Schema.Boolean,
  /** People who are not `complete` and verified, or of whom D1 still holds or has something. */
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
  /** When it was looked. */
  at: Moment,
})
export type ContractState = typeof ContractState.Type

/** What has to be repeated for the contract step, which cannot be undone. */
export const contractConfirmation = "drop the token columns"

/** The contract step: drops the token columns of `user_accounts`. */
export class Contract extends HttpApiGroup.make("contract")
  .add(
    HttpApiEndpoint.get("getContract", "/v1/contract", { success: ContractState, error: problemDocument(503) }),
    HttpApiEndpoint.post("dropTokenColumns", "/v1/contract", {
      payload: Schema.Struct({
        confirm: Schema.Literal(contractConfirmation),
        /** Confirms that nobody ever had to move, as on a new system; otherwise the step is refused while nobody has moved. */
        nobodyEverMoved: Schema.optionalKey(Schema.Boolean),
      }),
      success: ContractState,
      error: [problemDocument(409), ...body],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
