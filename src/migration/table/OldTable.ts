import { DateTime, type Effect, type Result } from "effect"
import type { Provider } from "../../domain/provider.ts"
import type { UserId } from "../../domain/user.ts"
import type { Mapping } from "../api/mapping.ts"
import type { Check, MappingWarning, RefusedRow } from "../api/tables.ts"
import type { Statement } from "../Database.ts"
import type { Row } from "./cells.ts"

/** A row of an old table as it was understood. */
export interface Parsed {
  readonly key: string | number
  readonly userId: UserId
  readonly provider: Provider
}

/** A table of another shape, and how what its rows say comes into pollen's own. */
export interface OldTable<P extends Parsed> {
  readonly mapping: Mapping
  /** Whether a second row of one person and provider is a contradiction. */
  readonly isOnePerAccount: boolean
  readonly read: (row: Row) => Effect.Effect<Result.Result<P, RefusedRow>>
  /** A row as the statements take it. */
  readonly toJson: (parsed: P) => object
  /** A row as it is shown: without its tokens. */
  readonly toExample: (parsed: P) => Check["examples"][number]
  /** Statements that write a JSON array of rows; the last returns a row for each that was not there. What is there stays as it is. */
  readonly write: (rows: string, now: number) => ReadonlyArray<Statement>
  /** Counts, as `unknown`, those of a JSON array of rows that are not there. */
  readonly countUnknown: string
  readonly warnings: (parsed: ReadonlyArray<P>, now: number) => ReadonlyArray<MappingWarning>
}

export const insertUsers = `INSERT INTO users (id, created_at) SELECT DISTINCT taken.value->>'userId', ?2 FROM json_each(?1) taken
  WHERE true ON CONFLICT DO NOTHING`

/** The condition, in SQL, that no object holds the account of a row: an object knows by itself what the person follows and has got. */
export const isNotMoved = `NOT EXISTS (SELECT 1 FROM user_accounts account WHERE account.user_id = value->>'userId'
  AND account.provider = value->>'provider' AND account.holder = 'object')`

export const toIso = (at: number): string => DateTime.formatIso(DateTime.makeUnsafe(at))
