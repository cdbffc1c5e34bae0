import { Clock, Context, Effect, Layer, Result } from "effect"
import type { DatabaseUnavailable, InvalidRequest } from "../../domain/error.ts"
import { jsonTexts } from "../../domain/jsonTexts.ts"
import { providers } from "../../domain/provider.ts"
import type { Conflict } from "../../http/error.ts"
import type { Mapping } from "../api/mapping.ts"
import type { Check, ImportPage, RefusedRow } from "../api/tables.ts"
import { requireTokenColumns } from "../contract/tokenColumns.ts"
import { Database, databaseOf, statement } from "../Database.ts"
import type { MigrationEnv } from "../env.ts"
import { providerNamed } from "./cells.ts"
import { countRows, requireColumns, selectRepeated, selectRows } from "./columns.ts"
import { feedTable } from "./feed.ts"
import { followsTable } from "./follows.ts"
import { grantsTable } from "./grants.ts"
import type { OldTable, Parsed } from "./OldTable.ts"

/** Rows that a request reads by default. */
const defaultRows = 500

const examplesAtMost = 5

/** Refused rows that a response names at most. */
const refusedAtMost = 200

type Key = string | number

/** Which rows of a table a request imports. */
export interface PageOfRows {
  readonly cursor?: Key
  readonly limit?: number
  readonly isDry?: boolean
}

type TableError = DatabaseUnavailable | InvalidRequest

type TableEnv = Pick<MigrationEnv, "DB" | "OLD_DB" | "OLD_TOKEN_KEY">

const accountOf = ({ userId, provider }: Parsed) => `${provider} ${userId}`

/** Reads tables of other shapes, by a declared mapping, and imports what they have: grants, what people follow, and their feeds. */
export class Tables extends Context.Service<
  Tables,
  {
    /** Reads a sample, and returns how it was parsed and which rows could not be, and why. Writes nothing. */
    readonly check: (mapping: Mapping, sample?: number) => Effect.Effect<Check, TableError>
    /** Imports a page of rows into pollen's own tables: grants are held by D1 then. A repetition changes nothing. */
    readonly importRows: (mapping: Mapping, page: PageOfRows) => Effect.Effect<ImportPage, TableError | Conflict>
  }
>()("pollen/migration/Tables") {
  /** `OLD_DB` is the database of the old tables, if they are not in `DB`. */
  static readonly layer = ({ DB, OLD_DB, ...variables }: TableEnv): Layer.Layer<Tables, never, Database> =>
    Layer.effect(
      Tables,
      Effect.gen(function* () {
        const database = yield* Database
        const old = databaseOf(OLD_DB ?? DB)

        /** Parses rows. Two grants of one person and provider are both refused: nothing says which of them counts. */
        const readRows = Effect.fnUntraced(function* <P extends Parsed>(
          { mapping, read, isOnePerAccount }: OldTable<P>,
          after: Key | undefined,
          limit: number,
        ) {
          const rows = yield* old.rows("old table", selectRows(mapping, after, limit))
          const results = yield* Effect.forEach(rows, read)
          const parsed = results.flatMap((one) => (Result.isSuccess(one) ? [one.success] : []))
          const refused = results.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
          const userIds = isOnePerAccount ? [...new Set(parsed.map(({ userId }) => userId))] : []
          const counted = userIds.length === 0 ? [] : yield* old.rows("old table", selectRepeated(mapping, userIds))
          const repeated = new Map<string, number>()
          for (const { userId, provider, rows: count } of counted) {
            const key = `${providerNamed(mapping, provider)} ${userId}`
            repeated.set(key, (repeated.get(key) ?? 0) + Number(count))
          }
          const isRepeated = (one: P) => (repeated.get(accountOf(one)) ?? 1) > 1
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

        const checkOne = Effect.fnUntraced(function* <P extends Parsed>(table: OldTable<P>, sample: number) {
          const { rows, parsed, refused } = yield* readRows(table, undefined, sample)
          const [total] = yield* old.rows("old table", countRows(table.mapping))
          return {
            rows: Number(total?.["rows"]),
            leftOut: Number(total?.["total"]) - Number(total?.["rows"]),
            sampled: rows.length,
            understood: parsed.length,
            providers: providers
              .map((provider) => ({ provider, rows: parsed.filter((one) => one.provider === provider).length }))
              .filter((counted) => counted.rows > 0),
            examples: parsed.slice(0, examplesAtMost).map(table.toExample),
            refused: refused.slice(0, refusedAtMost),
            warnings: table.warnings(parsed, yield* Clock.currentTimeMillis),
          } satisfies Check
        })

        const importOne = Effect.fnUntraced(function* <P extends Parsed>(table: OldTable<P>, page: PageOfRows) {
          const { cursor, limit = defaultRows, isDry: dryRun = false } = page
          const { rows, parsed, refused } = yield* readRows(table, cursor, limit)
          const now = yield* Clock.currentTimeMillis
          let taken = 0
          for (const text of jsonTexts(parsed.map(table.toJson))) {
            if (dryRun) {
              const [unknown] = yield* database.rows("import", statement(table.countUnknown, text))
              taken += Number(unknown?.["unknown"])
              continue
            }
            const results = yield* database.batch("import", table.write(text, now))
            taken += results.at(-1)?.length ?? 0
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

        const ofKind = <A, E>(
          mapping: Mapping,
          use: <P extends Parsed>(table: OldTable<P>) => Effect.Effect<A, E>,
        ): Effect.Effect<A, E | InvalidRequest> => {
          switch (mapping.what) {
            case "follows":
              return use(followsTable(mapping))
            case "feed":
              return use(feedTable(mapping))
            default:
              return Effect.flatMap(grantsTable(mapping, variables), use)
          }
        }

        const check = Effect.fn("Tables.check")(function* (mapping: Mapping, sample = defaultRows) {
          yield* Effect.provideService(requireColumns(mapping), Database, old)
          return yield* ofKind(mapping, (table) => checkOne(table, sample))
        })

        const importRows = Effect.fn("Tables.importRows")(function* (mapping: Mapping, page: PageOfRows) {
          if (mapping.what === undefined || mapping.what === "grants") {
            yield* Effect.provideService(requireTokenColumns(), Database, database)
          }
          yield* Effect.provideService(requireColumns(mapping), Database, old)
          return yield* ofKind(mapping, (table) => importOne(table, page))
        })

        return Tables.of({ check, importRows })
      }),
    )
}
