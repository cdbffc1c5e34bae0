import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { Mapping } from "./mapping.ts"
import { whole } from "./schemas.ts"

/** The key of the last row of a page of an old table. */
const Key = Schema.Union([Schema.Finite, Schema.String])

/** A row that cannot be imported, and why: a stable name, and words. */
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
    "unreadable_client",
    "too_long",
    "not_decrypted",
  ]),
  detail: Schema.String,
})
export type RefusedRow = typeof RefusedRow.Type

/** A column of which rows say that it cannot mean what it is mapped to. */
export const MappingWarning = Schema.Struct({
  /** The field of `columns` in the mapping. */
  column: Schema.String,
  /** Rows of the sample that say so. */
  rows: Schema.Int,
  detail: Schema.String,
})
export type MappingWarning = typeof MappingWarning.Type

export const Check = Schema.Struct({
  /** Rows of the table that are read, and those that the mapping leaves out: by `where`, as deleted, or without a key. */
  rows: Schema.Int,
  leftOut: Schema.Int,
  sampled: Schema.Int,
  understood: Schema.Int,
  providers: Schema.Array(Schema.Struct({ provider: Provider, rows: Schema.Int })),
  /** The first rows as they were parsed, without their tokens. */
  examples: Schema.Array(
    Schema.Struct({
      key: Key,
      userId: Schema.String,
      provider: Provider,
      /** ISO 8601, UTC. */
      expiresAt: Schema.String,
      authorizedAt: Schema.NullOr(Schema.String),
      scope: Schema.Array(Schema.String),
      isActive: Schema.Boolean,
    }),
  ),
  refused: Schema.Array(RefusedRow),
  warnings: Schema.Array(MappingWarning),
})
export type Check = typeof Check.Type

export const ImportPage = Schema.Struct({
  /** Rows read, accounts that were imported, and accounts that pollen had already and that are unchanged. */
  read: Schema.Int,
  taken: Schema.Int,
  kept: Schema.Int,
  refused: Schema.Array(RefusedRow),
  /** `null` at the end of the table. */
  next: Schema.NullOr(Key),
})
export type ImportPage = typeof ImportPage.Type

const body = [problemDocument(413), problemDocument(415), problemDocument(503)] as const

export class Tables extends HttpApiGroup.make("tables")
  .add(
    HttpApiEndpoint.post("checkTable", "/v1/tables/check", {
      payload: Schema.Struct({
        mapping: Mapping,
        /** Rows to read, from the start of the table; 500 by default. */
        sample: Schema.optionalKey(whole(1, 5000)),
      }),
      success: Check,
      error: [...body],
    }),
    HttpApiEndpoint.post("importRows", "/v1/tables/intake", {
      payload: Schema.Struct({
        mapping: Mapping,
        /** `next` of the page before. */
        cursor: Schema.optionalKey(Key),
        /** Rows to read; 500 by default. */
        limit: Schema.optionalKey(whole(1, 5000)),
        isDry: Schema.optionalKey(Schema.Boolean),
      }),
      success: ImportPage,
      error: [...body],
    }),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
