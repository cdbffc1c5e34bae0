import { Schema } from "effect"
import { Provider } from "../../domain/provider.ts"

/** Letters, digits and underscores: a name that needs no care in SQL, and is quoted all the same. */
const Name = Schema.String.pipe(
  Schema.check(
    Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, { message: "must be a name: letters, digits and underscores" }),
  ),
)

/**
 * Says where the grants are in a table that pollen has never seen. `docs/mapping.example.json` is one.
 */
export const Mapping = Schema.Struct({
  table: Name,
  /** A unique column, in whose order the rows are read: numbers or text. `rowid` unless said. */
  key: Schema.optionalKey(Name),
  columns: Schema.Struct({
    userId: Name,
    accessToken: Name,
    refreshToken: Name,
    expiresAt: Name,
    /** Left out where the table holds one provider's grants alone: then `provider` says whose. */
    provider: Schema.optionalKey(Name),
    scope: Schema.optionalKey(Name),
    isActive: Schema.optionalKey(Name),
  }),
  /** What the table calls the providers; pollen's own names need not be listed. */
  providers: Schema.optionalKey(Schema.Record(Schema.String, Provider)),
  provider: Schema.optionalKey(Provider),
  /** How `expiresAt` is written: epoch seconds, epoch milliseconds, or ISO 8601 (UTC unless it says otherwise). */
  timestamps: Schema.Literals(["seconds", "milliseconds", "iso"]),
  /** How `scope` is written: separated by spaces (the default) or commas, or a JSON array of strings. */
  scope: Schema.optionalKey(Schema.Literals(["spaces", "commas", "json"])),
  /** The values of `isActive` that mean yes; `1` and `true` unless said. */
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
