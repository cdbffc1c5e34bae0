import { Clock, Effect, Schema } from "effect"
import dropColumns from "../../../migrations/contract/0000_token_columns.sql"
import { DatabaseUnavailable } from "../../domain/error.ts"
import { Conflict } from "../../http/error.ts"
import type { DropState } from "../api/drop.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { Runs } from "../runs/Runs.ts"
import { readTokenColumns } from "./tokenColumns.ts"

/** People told of by name. */
const toldAtMost = 20

/**
 * Everybody of whom D1 holds, or has, something yet; and who is not at the end of the move, or has not been seen to be there. What the
 * step clears by itself is in nobody's way.
 */
const inTheWay = `FROM (
    SELECT user_id, max(holder <> 'object') AS isHeld, max(coalesce(access_token, refresh_token) IS NOT NULL) AS hasTokens
    FROM user_accounts GROUP BY user_id) person
  LEFT JOIN token_migration_status status ON status.user_id = person.user_id
  WHERE isHeld
    OR (hasTokens AND NOT coalesce(stage = 'complete' AND state = 'migrated' AND verified_at IS NOT NULL, 0))
    OR (status.user_id IS NOT NULL AND (stage <> 'complete' OR state <> 'migrated' OR verified_at IS NULL))`

const count = `SELECT count(*) AS people ${inTheWay}`

const select = `SELECT person.user_id AS userId, stage, verified_at IS NOT NULL AS isVerified, isHeld AS isHeldByDatabase, hasTokens
  ${inTheWay} ORDER BY person.user_id LIMIT ${toldAtMost}`

const decodePeople = decodeRows(
  Schema.Struct({
    userId: Schema.String,
    stage: Schema.NullOr(Schema.String),
    isVerified: Schema.BooleanFromBit,
    isHeldByDatabase: Schema.BooleanFromBit,
    hasTokens: Schema.BooleanFromBit,
  }),
)

/** A mirror that was written late, of somebody who had arrived: their object holds and has shown what it has. */
const clearLeftovers = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL
  WHERE holder = 'object' AND coalesce(access_token, refresh_token) IS NOT NULL AND user_id IN (
    SELECT user_id FROM token_migration_status WHERE stage = 'complete' AND state = 'migrated' AND verified_at IS NOT NULL)`

/** Fails, and everything with it that is done in the same batch, while somebody is in the way. */
const guardMark = "somebody is in the way of the contract step"
const guard = `SELECT iif((SELECT count(*) ${inTheWay}) > 0, json('${guardMark}'), 1)`

const statements = dropColumns
  .split("--> statement-breakpoint")
  .map((sql) => sql.trim())
  .filter((sql) => sql !== "")

/** Who stands in the way of the contract step. */
export const readDropState = Effect.fn("readDropState")(function* () {
  const database = yield* Database
  const at = yield* Clock.currentTimeMillis
  if ((yield* readTokenColumns()).length === 0) {
    return { isDone: true, inTheWay: 0, people: [], at } satisfies DropState
  }
  const [counts = [], rows = []] = yield* database.batch("contract", [statement(count), statement(select)])
  const people = yield* decodePeople(rows)
  return { isDone: false, inTheWay: Number(counts[0]?.["people"]), people, at } satisfies DropState
})

const refuse = ({ inTheWay: people, people: first }: DropState) =>
  new Conflict({
    reason: "not_complete",
    detail: `${people} people are not complete and verified, or D1 holds or has something of theirs`,
    people: first.map(({ userId }) => userId),
  })

/**
 * The contract step: drops the token columns of `user_accounts`, all or none, in the transaction that finds nobody in the way. Done again
 * it does nothing. Cannot be undone.
 */
export const dropTokenColumns = Effect.fn("dropTokenColumns")(function* () {
  const database = yield* Database
  const runs = yield* Runs
  const underWay = yield* runs.underWay
  if (underWay.length > 0) {
    return yield* new Conflict({ reason: "run_under_way", detail: "A run is under way; wait for it, or cancel it" })
  }
  const before = yield* readDropState()
  if (before.isDone) return before
  const steps = [clearLeftovers, guard, ...statements].map((sql) => statement(sql))
  yield* Effect.catchTag(database.batch("contract", steps), "DatabaseUnavailable", (error) =>
    Effect.flatMap(
      readDropState(),
      (state): Effect.Effect<never, Conflict | DatabaseUnavailable> =>
        Effect.fail(!state.isDone && state.inTheWay > 0 ? refuse(state) : new DatabaseUnavailable(error)),
    ),
  )
  return yield* readDropState()
})
