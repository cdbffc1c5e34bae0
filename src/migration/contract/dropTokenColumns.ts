import { Clock, Effect, Schema } from "effect"
import dropColumns from "../../../migrations/contract/0000_token_columns.sql"
import { DatabaseUnavailable } from "../../domain/error.ts"
import { Conflict } from "../../http/error.ts"
import type { DropState } from "../api/drop.ts"
import { Database, decodeRows, statement } from "../Database.ts"
import { Runs } from "../runs/Runs.ts"
import { readTokenColumns } from "./tokenColumns.ts"

/** People that a response names at most. */
const namedAtMost = 20

/**
 * People for whom D1 holds an account or has tokens, and people in the move who are not complete and verified. Tokens that the drop step
 * itself clears are not counted.
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
  ${inTheWay} ORDER BY person.user_id LIMIT ${namedAtMost}`

const decodePeople = decodeRows(
  Schema.Struct({
    userId: Schema.String,
    stage: Schema.NullOr(Schema.String),
    isVerified: Schema.BooleanFromBit,
    isHeldByDatabase: Schema.BooleanFromBit,
    hasTokens: Schema.BooleanFromBit,
  }),
)

/** Clears mirrors that were written late, after the person was complete: the object holds the grant, which was verified. */
const clearLeftovers = `UPDATE user_accounts SET access_token = NULL, refresh_token = NULL, expires_at = NULL, scope = NULL
  WHERE holder = 'object' AND coalesce(access_token, refresh_token) IS NOT NULL AND user_id IN (
    SELECT user_id FROM token_migration_status WHERE stage = 'complete' AND state = 'migrated' AND verified_at IS NOT NULL)`

/** Fails the batch that it is in, and undoes all of it, while anybody is in the way. */
const guardMark = "somebody is in the way of the drop step"
const guard = `SELECT iif((SELECT count(*) ${inTheWay}) > 0, json('${guardMark}'), 1)`

const statements = dropColumns
  .split("--> statement-breakpoint")
  .map((sql) => sql.trim())
  .filter((sql) => sql !== "")

const selectMoved = `SELECT EXISTS (SELECT 1 FROM token_migration_status WHERE stage = 'complete')
  OR EXISTS (SELECT 1 FROM user_accounts WHERE holder = 'object') AS hasAnybodyMoved`

/** Reads whether the drop step has been taken, who is in its way, and whether anybody has moved at all. */
export const readDropState = Effect.fn("readDropState")(function* () {
  const database = yield* Database
  const at = yield* Clock.currentTimeMillis
  const [moved] = yield* database.rows("contract", statement(selectMoved))
  const hasAnybodyMoved = Number(moved?.["hasAnybodyMoved"]) > 0
  if ((yield* readTokenColumns()).length === 0) {
    return { isDone: true, inTheWay: 0, people: [], hasAnybodyMoved, at } satisfies DropState
  }
  const [counts = [], rows = []] = yield* database.batch("contract", [statement(count), statement(select)])
  const people = yield* decodePeople(rows)
  return { isDone: false, inTheWay: Number(counts[0]?.["people"]), people, hasAnybodyMoved, at } satisfies DropState
})

const refuse = ({ inTheWay: people, people: first }: DropState) =>
  new Conflict({
    reason: "not_complete",
    detail: `${people} people are not complete and verified, or D1 still holds an account of theirs or has tokens of it`,
    people: first.map(({ userId }) => userId),
  })

const refuseUnmoved = () =>
  new Conflict({
    reason: "nobody_moved",
    detail:
      "Nobody has moved: the database may be the wrong one, or its accounts are still to be imported. Check which database the worker uses; if nobody ever moved here, repeat the request with nobodyEverMoved: true",
  })

/**
 * Takes the drop step: drops the token columns of `user_accounts`, all or none, in the transaction that finds nobody in the way. A
 * repetition does nothing. Cannot be undone. `nobodyEverMoved` allows it where nobody has moved, which is otherwise a `Conflict`.
 */
export const dropTokenColumns = Effect.fn("dropTokenColumns")(function* ({
  nobodyEverMoved = false,
}: {
  readonly nobodyEverMoved?: boolean
}) {
  const database = yield* Database
  const runs = yield* Runs
  const underWay = yield* runs.underWay
  if (underWay.length > 0) {
    return yield* new Conflict({ reason: "run_under_way", detail: "A run is under way; wait for it or cancel it" })
  }
  const before = yield* readDropState()
  if (before.isDone) return before
  if (before.inTheWay === 0 && !before.hasAnybodyMoved && !nobodyEverMoved) return yield* refuseUnmoved()
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
