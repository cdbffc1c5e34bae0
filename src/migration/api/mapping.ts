import { DateTime, Option, Schema } from "effect"
import { Provider } from "../../domain/provider.ts"

/** A name as SQL has it between double quotes: spaces and dashes may be in it, and nothing that ends the quotes. */
const Name = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(/^[^"\p{Cc}]{1,128}$/u, { message: "must be a name of 1 to 128 characters without quotes" }),
  ),
)

const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])

/** A condition on a column. A structure, and not SQL: nothing that is typed here can write, or read another table. */
const Condition = Schema.Struct({
  column: Name,
  /** `null` stands for an empty column. */
  is: Schema.optionalKey(Value),
  isNot: Schema.optionalKey(Value),
  isOneOf: Schema.optionalKey(Schema.Array(Value).pipe(Schema.check(Schema.isMaxLength(100)))),
}).pipe(
  Schema.check(
    Schema.makeFilter(({ column: _column, ...tests }) =>
      Object.keys(tests).length === 1
        ? undefined
        : { path: ["is"], issue: "exactly one of is, isNot and isOneOf must be given" },
    ),
  ),
)
export type Condition = typeof Condition.Type

/** How the tokens of an old table are encrypted: `table/decryptors.ts` has what each does. */
const DecryptorName = Schema.Literals(["aes-256-gcm"])
export type DecryptorName = typeof DecryptorName.Type

/** Which rows of which table are read, and whose they are. */
const tableFields = {
  /** A table or a view. */
  table: Name,
  /** Only rows that satisfy all of these are read. */
  where: Schema.optionalKey(Schema.Array(Condition).pipe(Schema.check(Schema.isMaxLength(20)))),
  /**
   * A unique column of numbers or text. Rows are read in its order. `rowid` by default, which a view does not have. A row
   * whose key is empty is left out.
   */
  key: Schema.optionalKey(Name),
  /** The table's names of the providers; pollen's own names need not be listed. */
  providers: Schema.optionalKey(Schema.Record(Schema.String, Provider)),
  provider: Schema.optionalKey(Provider),
  /** The format of times: epoch seconds, epoch milliseconds, or ISO 8601 (UTC unless it has a zone). */
  timestamps: Schema.Literals(["seconds", "milliseconds", "iso"]),
}

/** The columns that every table has. */
const ownerColumns = {
  userId: Name,
  /** Left out where the table has rows of one provider only, which `provider` then names. */
  provider: Schema.optionalKey(Name),
  /** When a row was deleted, by a table that only marks it: rows in which this is not empty are left out. */
  deletedAt: Schema.optionalKey(Name),
}

interface OfProvider {
  readonly columns: { readonly provider?: string }
  readonly provider?: Provider
}

const oneProvider = Schema.makeFilter(({ columns, provider }: OfProvider) =>
  (columns.provider === undefined) === (provider === undefined)
    ? { path: ["columns", "provider"], issue: "exactly one of columns.provider and provider must be given" }
    : undefined,
)

/** Declares where the grants are. `docs/mapping.example.json` is an example. */
export const GrantsMapping = Schema.Struct({
  what: Schema.optionalKey(Schema.Literal("grants")),
  ...tableFields,
  columns: Schema.Struct({
    ...ownerColumns,
    accessToken: Name,
    refreshToken: Name,
    expiresAt: Name,
    scope: Schema.optionalKey(Name),
    isActive: Schema.optionalKey(Name),
    /** When the person authorized the grant; without it, or where it is empty, nobody knows. Not when the row was written. */
    authorizedAt: Schema.optionalKey(Name),
    /** The name of the OAuth client that a grant was issued to, as `SPOTIFY_CLIENTS` has it; empty: the default one. */
    client: Schema.optionalKey(Name),
  }),
  /** The format of `scope`: separated by spaces (the default) or commas, or a JSON array of strings. */
  scope: Schema.optionalKey(Schema.Literals(["spaces", "commas", "json"])),
  /** The values of `isActive` that mean yes; `1` and `true` by default. */
  activeValues: Schema.optionalKey(Schema.Array(Schema.String)),
  /** How both tokens are encrypted; left out where they are in plain text. */
  decryptor: Schema.optionalKey(DecryptorName),
}).pipe(Schema.check(oneProvider))
export type GrantsMapping = typeof GrantsMapping.Type

/** Declares where it stands what people follow, and when the old poller last asked. `docs/mapping.follows.example.json` is an example. */
export const FollowsMapping = Schema.Struct({
  what: Schema.Literal("follows"),
  ...tableFields,
  columns: Schema.Struct({
    ...ownerColumns,
    /** The provider's id of the show or channel. */
    sourceId: Name,
    /** When the source was last polled; empty: never, so that its first poll here brings a backfill. */
    polledAt: Schema.optionalKey(Name),
    /** How many items the provider's library showed for it then; empty where that is not known. */
    itemCount: Schema.optionalKey(Name),
    followedAt: Schema.optionalKey(Name),
    title: Schema.optionalKey(Name),
    url: Schema.optionalKey(Name),
    imageUrl: Schema.optionalKey(Name),
  }),
  /** When the old poller last asked for everything, in ISO 8601: where the table has no column of it. */
  polledAt: Schema.optionalKey(
    Schema.String.pipe(
      Schema.check(
        Schema.makeFilter((text) => (Option.isSome(DateTime.make(text)) ? undefined : "must be a time in ISO 8601")),
      ),
    ),
  ),
}).pipe(
  Schema.check(
    oneProvider,
    Schema.makeFilter(({ columns, polledAt }) =>
      (columns.polledAt === undefined) === (polledAt === undefined)
        ? { path: ["polledAt"], issue: "exactly one of columns.polledAt and polledAt must be given" }
        : undefined,
    ),
  ),
)
export type FollowsMapping = typeof FollowsMapping.Type

/** Declares where people's feeds are: the items that they have got. `docs/mapping.feed.example.json` is an example. */
export const FeedMapping = Schema.Struct({
  what: Schema.Literal("feed"),
  ...tableFields,
  columns: Schema.Struct({
    ...ownerColumns,
    /** The provider's ids of the episode or video, and of its show or channel. */
    itemId: Name,
    sourceId: Name,
    publishedAt: Name,
    title: Name,
    description: Schema.optionalKey(Name),
    /** The page of the item; without it, the one that the provider has for its id. */
    url: Schema.optionalKey(Name),
    imageUrl: Schema.optionalKey(Name),
    /** When the person got it; without it, when it was published. */
    deliveredAt: Schema.optionalKey(Name),
  }),
}).pipe(Schema.check(oneProvider))
export type FeedMapping = typeof FeedMapping.Type

/** Declares what a table of another shape has: people's grants unless it says otherwise. */
export type Mapping = GrantsMapping | FollowsMapping | FeedMapping
