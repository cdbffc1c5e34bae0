import { Effect, Option, Predicate, Redacted, Result, Schema } from "effect"
import type { Provider } from "../../domain/provider.ts"
import { ClientName, Secret } from "../../domain/token.ts"
import type { UserId } from "../../domain/user.ts"
import type { GrantsMapping } from "../api/mapping.ts"
import type { RefusedRow } from "../api/tables.ts"
import { statement } from "../Database.ts"
import type { MigrationEnv } from "../env.ts"
import { isEmpty, keyOf, type Refusal, type Row, readOwner, readTime, readTimeIfAny, refusal } from "./cells.ts"
import { decryptorNamed } from "./decryptors.ts"
import { insertUsers, type OldTable, toIso } from "./OldTable.ts"
import { warnings } from "./warnings.ts"

/** A grant, parsed from a row of an old table. */
export interface ParsedRow {
  readonly key: string | number
  readonly userId: UserId
  readonly provider: Provider
  readonly accessToken: typeof Secret.Type
  readonly refreshToken: typeof Secret.Type
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scope: ReadonlyArray<string>
  /** Epoch milliseconds; `null` where nobody knows. */
  readonly authorizedAt: number | null
  /** The name of the OAuth client; `null`: the default one. */
  readonly client: string | null
  readonly isActive: boolean
}

const decodeClient = Schema.decodeUnknownOption(ClientName)
const decodeSecret = Schema.decodeUnknownOption(Secret)
const decodeScopes = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.String)))

const readScope = (value: unknown, format: GrantsMapping["scope"]): Result.Result<ReadonlyArray<string>, Refusal> => {
  if (isEmpty(value)) return Result.succeed([])
  if (format === "json") {
    const scopes = decodeScopes(value)
    return Option.isSome(scopes)
      ? Result.succeed(scopes.value)
      : refusal("unreadable_scope", "is not a JSON array of strings")
  }
  if (!Predicate.isString(value)) return refusal("unreadable_scope", "is not a string")
  return Result.succeed(
    value
      .split(format === "commas" ? "," : /\s+/)
      .map((name) => name.trim())
      .filter((name) => name !== ""),
  )
}

const defaultActive: ReadonlyArray<string> = ["1", "true"]

const readSecret = (
  value: unknown,
  missing: "no_access_token" | "no_refresh_token",
): Result.Result<typeof Secret.Type, Refusal> => {
  if (isEmpty(value)) return refusal(missing, "is empty")
  const secret = decodeSecret(value)
  return Option.isSome(secret)
    ? Result.succeed(secret.value)
    : refusal("too_long", "is not a string of at most 4096 characters")
}

/** Parses a row, or says why that fails. */
export const parseRow = (mapping: GrantsMapping, row: Row): Result.Result<ParsedRow, RefusedRow> => {
  const key = keyOf(row)
  const read = Result.gen(function* () {
    const owner = yield* readOwner(mapping, row)
    const accessToken = yield* readSecret(row["accessToken"], "no_access_token")
    const refreshToken = yield* readSecret(row["refreshToken"], "no_refresh_token")
    const expiresAt = yield* readTime(row["expiresAt"], mapping.timestamps)
    const scope = yield* readScope(row["scope"], mapping.scope)
    const authorizedAt = yield* readTimeIfAny(row["authorizedAt"], mapping.timestamps)
    const client = isEmpty(row["client"]) ? Option.some(null) : decodeClient(row["client"])
    if (Option.isNone(client)) {
      return yield* refusal("unreadable_client", "is not a name of 1 to 64 letters, digits, - and _")
    }
    const isActive =
      mapping.columns.isActive === undefined ||
      (mapping.activeValues ?? defaultActive).includes(String(row["isActive"] ?? "").toLowerCase())
    return {
      key,
      ...owner,
      accessToken,
      refreshToken,
      expiresAt,
      scope,
      authorizedAt,
      client: client.value,
      isActive,
    }
  })
  return Result.mapError(read, (problem) => ({ key, ...problem }))
}

// An account that pollen has already stays unchanged: its tokens may be newer than those in the old table.
const insertAccounts = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, access_token, refresh_token,
    expires_at, scope, authorized_at, client, holder, epoch, generation)
  SELECT taken.value->>'userId', taken.value->>'provider', taken.value->>'isActive',
    iif(taken.value->>'isActive', 'connected', 'disconnected'), ?2, taken.value->>'accessToken', taken.value->>'refreshToken',
    taken.value->>'expiresAt', taken.value->>'scope', taken.value->>'authorizedAt', taken.value->>'client',
    'database', 1, 1
  FROM json_each(?1) taken WHERE true ON CONFLICT DO NOTHING RETURNING user_id`

const countUnknown = `SELECT count(*) AS unknown FROM json_each(?1) taken WHERE NOT EXISTS (SELECT 1 FROM user_accounts
  WHERE user_id = taken.value->>'userId' AND provider = taken.value->>'provider')`

/** A table of people's grants. Fails where the key of its decryptor is missing. */
export const grantsTable = Effect.fnUntraced(function* (
  mapping: GrantsMapping,
  { OLD_TOKEN_KEY }: Pick<MigrationEnv, "OLD_TOKEN_KEY">,
) {
  const decrypt = mapping.decryptor === undefined ? undefined : yield* decryptorNamed(mapping.decryptor, OLD_TOKEN_KEY)
  const open = (stored: unknown) =>
    decrypt !== undefined && Predicate.isString(stored) && stored !== "" ? decrypt(stored) : Effect.succeed(stored)
  const table: OldTable<ParsedRow> = {
    mapping,
    isOnePerAccount: true,
    // Both tokens are decrypted first, where there is a decryptor.
    read: (row) =>
      Effect.all([open(row["accessToken"]), open(row["refreshToken"])]).pipe(
        Effect.map(([accessToken, refreshToken]) => parseRow(mapping, { ...row, accessToken, refreshToken })),
        Effect.catchTag("Undecryptable", ({ detail }) =>
          Effect.succeed(Result.fail<RefusedRow>({ key: keyOf(row), reason: "not_decrypted", detail })),
        ),
      ),
    toJson: ({ key: _key, accessToken, refreshToken, scope, ...rest }) => ({
      ...rest,
      accessToken: Redacted.value(accessToken),
      refreshToken: Redacted.value(refreshToken),
      scope: scope.join(" "),
    }),
    toExample: ({ key, userId, provider, expiresAt, authorizedAt, scope, isActive }) => ({
      ...{ key, userId, provider, scope, isActive },
      expiresAt: toIso(expiresAt),
      authorizedAt: authorizedAt === null ? null : toIso(authorizedAt),
    }),
    write: (text, now) => [statement(insertUsers, text, now), statement(insertAccounts, text, now)],
    countUnknown,
    warnings,
  }
  return table
})
