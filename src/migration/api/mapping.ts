import { Schema } from "effect"
import { Provider } from "../../domain/provider.ts"

/** A name of letters, digits and underscores: it could stand unquoted in SQL, and is quoted all the same. */
const Name = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { message: "must be a name: letters, digits and underscores" }),
  ),
)

/** Declares where the grants are in a table of another shape. `docs/mapping.example.json` is an example. */
export const Mapping = Schema.Struct({
  table: Name,
  /** A unique column of numbers or text. Rows are read in its order. `rowid` by default. */
  key: Schema.optionalKey(Name),
  columns: Schema.Struct({
    userId: Name,
    accessToken: Name,
    refreshToken: Name,
    expiresAt: Name,
    /** Left out where the table has the grants of one provider only, which `provider` then names. */
    provider: Schema.optionalKey(Name),
    scope: Schema.optionalKey(Name),
    isActive: Schema.optionalKey(Name),
    /** When the person authorized the grant; without it, or where it is empty, nobody knows. Not when the row was written. */
    authorizedAt: Schema.optionalKey(Name),
    /** The name of the OAuth client that a grant was issued to, as `SPOTIFY_CLIENTS` has it; empty: the default one. */
    client: Schema.optionalKey(Name),
  }),
  /** The table's names of the providers; pollen's own names need not be listed. */
  providers: Schema.optionalKey(Schema.Record(Schema.String, Provider)),
  provider: Schema.optionalKey(Provider),
  /** The format of `expiresAt` and `authorizedAt`: epoch seconds, epoch milliseconds, or ISO 8601 (UTC unless it has a zone). */
  timestamps: Schema.Literals(["seconds", "milliseconds", "iso"]),
  /** The format of `scope`: separated by spaces (the default) or commas, or a JSON array of strings. */
  scope: Schema.optionalKey(Schema.Literals(["spaces", "commas", "json"])),
  /** The values of `isActive` that mean yes; `1` and `true` by default. */
  activeValues: Schema.optionalKey(Schema.Array(Schema.String)),
}).pipe(
  Schema.check(
    Schema.makeFilter(({ columns, provider }) =>
      (columns.provider === undefined) === (provider === undefined)
        ? { path: ["columns", "provider"], issue: "exactly one of columns.provider and provider must be given" }
        : undefined,
    ),
  ),
)
export type Mapping = typeof Mapping.Type
