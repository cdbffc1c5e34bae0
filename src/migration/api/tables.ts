import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { Provider } from "../../domain/provider.ts"
import { Decoding } from "../../http/Decoding.ts"
import { problemDocument } from "../../http/problemDocument.ts"
import { Authorization } from "../Authorization.ts"
import { FeedMapping, FollowsMapping, GrantsMapping, type Mapping } from "./mapping.ts"
import { whole } from "./schemas.ts"

/** The key of the last row of a page of an old table. */
const Key = Schema.Union([Schema.Finite, Schema.String])

/** A row that cannot be imported, and why: a stable name, and words. */
const RefusedRow = Schema.Struct({
  key: Key,
  reason: Schema.Literals([
    "no_user",
    "unknown_provider",
    "no_source",
    "no_item",
    "no_title",
    "duplicate_account",
    "no_access_token",
    "no_refresh_token",
    "unreadable_time",
    "unreadable_scope",
    "unreadable_client",
    "unreadable_count",
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
      /** Times are ISO 8601, UTC. Of a grant: */
      expiresAt: Schema.optionalKey(Schema.String),
      authorizedAt: Schema.optionalKey(Schema.NullOr(Schema.String)),
      scope: Schema.optionalKey(Schema.Array(Schema.String)),
      isActive: Schema.optionalKey(Schema.Boolean),
      /** Of what somebody follows, and of an item in their feed: */
      sourceId: Schema.optionalKey(Schema.String),
      title: Schema.optionalKey(Schema.NullOr(Schema.String)),
      polledAt: Schema.optionalKey(Schema.NullOr(Schema.String)),
      itemCount: Schema.optionalKey(Schema.NullOr(Schema.Int)),
      itemId: Schema.optionalKey(Schema.String),
      publishedAt: Schema.optionalKey(Schema.String),
    }),
  ),
  refused: Schema.Array(RefusedRow),
  warnings: Schema.Array(MappingWarning),
})
export type Check = typeof Check.Type

export const ImportPage = Schema.Struct({
  /** Rows read, those that were imported, and those that pollen had already, or may not touch, and that are unchanged. */
  read: Schema.Int,
  taken: Schema.Int,
  kept: Schema.Int,
  refused: Schema.Array(RefusedRow),
  /** `null` at the end of the table. */
  next: Schema.NullOr(Key),
})
export type ImportPage = typeof ImportPage.Type

const error = [problemDocument(413), problemDocument(415), problemDocument(503)] as const

/** An endpoint that reads a sample of a table, which the mapping describes. */
const checking = <const Name extends string, const Path extends `/${string}`, M extends Schema.Codec<Mapping, unknown>>(
  name: Name,
  path: Path,
  mapping: M,
) =>
  HttpApiEndpoint.post(name, path, {
    payload: Schema.Struct({
      mapping,
      /** Rows to read, from the start of the table; 500 by default. */
      sample: Schema.optionalKey(whole(1, 5000)),
    }),
    success: Check,
    error,
  })

/** An endpoint that imports a page of a table. */
const importing = <
  const Name extends string,
  const Path extends `/${string}`,
  M extends Schema.Codec<Mapping, unknown>,
>(
  name: Name,
  path: Path,
  mapping: M,
) =>
  HttpApiEndpoint.post(name, path, {
    payload: Schema.Struct({
      mapping,
      /** `next` of the page before. */
      cursor: Schema.optionalKey(Key),
      /** Rows to read; 500 by default. */
      limit: Schema.optionalKey(whole(1, 5000)),
      isDry: Schema.optionalKey(Schema.Boolean),
    }),
    success: ImportPage,
    error,
  })

export class Tables extends HttpApiGroup.make("tables")
  .add(
    checking("checkTable", "/v1/tables/check", GrantsMapping),
    importing("importRows", "/v1/tables/intake", GrantsMapping),
    checking("checkFollows", "/v1/follows/check", FollowsMapping),
    importing("importFollows", "/v1/follows/intake", FollowsMapping),
    checking("checkFeed", "/v1/feeds/check", FeedMapping),
    importing("importFeed", "/v1/feeds/intake", FeedMapping),
  )
  .middleware(Decoding)
  .middleware(Authorization) {}
