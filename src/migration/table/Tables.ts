import { Clock, Context, DateTime, Effect, Layer, Predicate, Redacted, Result } from "effect"
import type { DatabaseUnavailable, InvalidRequest } from "../../domain/error.ts"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import { providers } from "../../domain/provider.ts"
import type { Conflict } from "../../http/error.ts"
import type { Mapping } from "../api/mapping.ts"
import type { Check, ImportPage, RefusedRow } from "../api/tables.ts"
import { requireTokenColumns } from "../contract/tokenColumns.ts"
import { Database, databaseOf, statement } from "../Database.ts"
import type { MigrationEnv } from "../env.ts"
import { countRows, requireColumns, selectRepeated, selectRows } from "./columns.ts"
import { type Decrypt, decryptorNamed } from "./decryptors.ts"
import { keyOf, type ParsedRow, parseRow, providerNamed } from "./parseRow.ts"
import { warnings } from "./warnings.ts"

/** Rows that a request reads by default. */
const defaultRows = 500

const examplesAtMost = 5

/** Refused rows that a response names at most. */
const refusedAtMost = 200

type Key = string | number

interface PageOfRows {
  readonly cursor?: Key
  readonly limit?: number
  readonly isDry?: boolean
}

type TableEnv = Pick<MigrationEnv, "DB" | "OLD_DB" | "OLD_TOKEN_KEY">

type TableError = DatabaseUnavailable | InvalidRequest

// An account that pollen has already stays unchanged: its tokens may be newer than those in the old table.
const insertUsers = `INSERT INTO users (id, created_at) SELECT DISTINCT taken.value->>'userId', ?2 FROM json_each(?1) taken
  WHERE true ON CONFLICT DO NOTHING`
const insertAccounts = `INSERT INTO user_accounts (user_id, provider, is_active, state, updated_at, access_token, refresh_token,
    expires_at, scope, authorized_at, client, holder, epoch, generation)
  SELECT taken.value->>'userId', taken.value->>'provider', taken.value->>'isActive',
    iif(taken.value->>'isActive', 'connected', 'disconnected'), ?2, taken.value->>'accessToken', taken.value->>'refreshToken',
    taken.value->>'expiresAt', taken.value->>'scope', taken.value->>'authorizedAt', taken.value->>'client',
    'database', 1, 1
  FROM json_each(?1) taken WHERE true ON CONFLICT DO NOTHING RETURNING user_id`

const countUnknown = `SELECT count(*) AS unknown FROM json_each(?1) taken WHERE NOT EXISTS (SELECT 1 FROM user_accounts
  WHERE user_id = taken.value->>'userId' AND provider = taken.value->>'provider')`

const accountOf = ({ userId, provider }: Pick<ParsedRow, "userId" | "provider">) => `${provider} ${userId}`

/** Parses a row, of which both tokens are decrypted first where there is a decryptor. */
const readRow = Effect.fnUntraced(
  function* (mapping: Mapping, row: Record<string, unknown>, decrypt: Decrypt | undefined) {
    const open = (stored: unknown) =>
      decrypt !== undefined && Predicate.isString(stored) && stored !== "" ? decrypt(stored) : Effect.succeed(stored)
    const [accessToken, refreshToken] = yield* Effect.all([open(row["accessToken"]), open(row["refreshToken"])])
    return parseRow(mapping, { ...row, accessToken, refreshToken })
  },
  (read, _mapping, row) =>
    Effect.catchTag(read, "Undecryptable", ({ detail }) =>
      Effect.succeed(Result.fail<RefusedRow>({ key: keyOf(row), reason: "not_decrypted", detail })),
    ),
)

const toRow = ({
  userId,
  provider,
  isActive,
  accessToken,
  refreshToken,
  expiresAt,
  scope,
  authorizedAt,
  client,
}: ParsedRow) => ({
  userId,
  provider,
  isActive,
  accessToken: Redacted.value(accessToken),
  refreshToken: Redacted.value(refreshToken),
  expiresAt,
  scope: scope.join(" "),
  authorizedAt,
  client,
})

const toIso = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

/** Reads and imports grants from tables of other shapes, by a declared mapping. */
export class Tables extends Context.Service<
  Tables,
  {
    /** Reads a sample, and returns how it was parsed and which rows could not be, and why. Writes nothing. */
    readonly check: (mapping: Mapping, sample?: number) => Effect.Effect<Check, TableError>
    /** Imports a page of rows into `user_accounts`, held by D1. A repetition changes nothing. */
    readonly importRows: (mapping: Mapping, page: PageOfRows) => Effect.Effect<ImportPage, TableError | Conflict>
  }
>()("pollen/migration/Tables") {
  /** `OLD_DB` is the database of the old tables, if they are not in `DB`. */
  static readonly layer = ({ DB, OLD_DB, OLD_TOKEN_KEY }: TableEnv): Layer.Layer<Tables, never, Database> =>
    Layer.effect(
      Tables,
      Effect.gen(function* () {
        const database = yield* Database
        const old = databaseOf(OLD_DB ?? DB)

        /** Parses rows. Two rows of one person and provider are both refused: nothing says which of them counts. */
        const readRows = Effect.fnUntraced(function* (mapping: Mapping, after: Key | undefined, limit: number) {
          yield* Effect.provideService(requireColumns(mapping), Database, old)
          const rows = yield* old.rows("old table", selectRows(mapping, after, limit))
          const decrypt =
            mapping.decryptor === undefined ? undefined : yield* decryptorNamed(mapping.decryptor, OLD_TOKEN_KEY)
          const read = yield* Effect.forEach(rows, (row) => readRow(mapping, row, decrypt))
          const parsed = read.flatMap((one) => (Result.isSuccess(one) ? [one.success] : []))
          const refused = read.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
          const userIds = [...new Set(parsed.map(({ userId }) => userId))]
          const counted = userIds.length === 0 ? [] : yield* old.rows("old table", selectRepeated(mapping, userIds))
          const repeated = new Map<string, number>()
          for (const { userId, provider, rows: count } of counted) {
            const key = `${providerNamed(mapping, provider)} ${userId}`
            repeated.set(key, (repeated.get(key) ?? 0) + Number(count))
          }
          const isRepeated = (one: ParsedRow) => (repeated.get(accountOf(one)) ?? 1) > 1
          const duplicates = parsed.filter(isRepeated).map(
            ({ key, provider }): RefusedRow => ({
              key,
              reason: "duplicate_account",
              detail: `the person has more than one row of ${provider}`,
            }),
          )
          return {
            rows,
            parsed: parsed.filter((one) => !isRepeated(one)),
            refused: [...refused, ...duplicates],
          }
        })

        const check = Effect.fn("Tables.check")(function* (mapping: Mapping, sample = defaultRows) {
          const { rows, parsed, refused } = yield* readRows(mapping, undefined, sample)
          const [total] = yield* old.rows("old table", countRows(mapping))
          return {
            rows: Number(total?.["rows"]),
            leftOut: Number(total?.["total"]) - Number(total?.["rows"]),
            sampled: rows.length,
            understood: parsed.length,
            providers: providers
              .map((provider) => ({ provider, rows: parsed.filter((one) => one.provider === provider).length }))
              .filter((counted) => counted.rows > 0),
            examples: parsed
              .slice(0, examplesAtMost)
              .map(({ key, userId, provider, expiresAt, authorizedAt, scope, isActive }) => ({
                key,
                userId,
                provider,
                expiresAt: toIso(expiresAt),
                authorizedAt: authorizedAt === null ? null : toIso(authorizedAt),
                scope,
                isActive,
              })),
            refused: refused.slice(0, refusedAtMost),
            warnings: warnings(parsed, yield* Clock.currentTimeMillis),
          } satisfies Check
        })

        const importRows = Effect.fn("Tables.importRows")(function* (mapping: Mapping, page: PageOfRows) {
          const { cursor, limit = defaultRows, isDry: dryRun = false } = page
          yield* Effect.provideService(requireTokenColumns(), Database, database)
          const { rows, parsed, refused } = yield* readRows(mapping, cursor, limit)
          const now = yield* Clock.currentTimeMillis
          let taken = 0
          for (const text of jsonTexts(parsed.map(toRow))) {
            if (dryRun) {
              const [unknown] = yield* database.rows("import", statement(countUnknown, text))
              taken += Number(unknown?.["unknown"])
              continue
            }
            const [, inserted = []] = yield* database.batch("import", [
              statement(insertUsers, text, now),
              statement(insertAccounts, text, now),
            ])
            taken += inserted.length
          }
          const last = rows.at(-1)?.["key"]
          const isMore = rows.length === limit && (typeof last === "number" || typeof last === "string")
          return {
            read: rows.length,
            taken,
            kept: parsed.length - taken,
            refused: refused.slice(0, refusedAtMost),
            next: isMore ? last : null,
          } satisfies ImportPage
        })

        return Tables.of({ check, importRows })
      }),
    )
}
