import { Effect, Schema } from "effect"
import { Stage, stages } from "../../domain/stage.ts"
import { Database, decodeRows, statement } from "../Database.ts"

const selectStages = `SELECT stage, count(*) AS people, count(*) FILTER (WHERE state = 'failed') AS failed
  FROM token_migration_status GROUP BY stage`

const selectOthers = `SELECT count(*) FILTER (WHERE isHeld) AS off, count(*) FILTER (WHERE NOT isHeld) AS born FROM (
    SELECT max(holder <> 'object') AS isHeld FROM user_accounts
    WHERE user_id NOT IN (SELECT user_id FROM token_migration_status) GROUP BY user_id)`

const decodeStages = decodeRows(Schema.Struct({ stage: Stage, people: Schema.Int, failed: Schema.Int }))
const decodeOthers = decodeRows(Schema.Struct({ off: Schema.Int, born: Schema.Int }))

/** How many people are at which stage. */
export const countStages = Effect.fn("countStages")(function* () {
  const database = yield* Database
  const [stageRows = [], otherRows = []] = yield* database.batch("stages", [
    statement(selectStages),
    statement(selectOthers),
  ])
  const counted = yield* decodeStages(stageRows)
  const [others] = yield* decodeOthers(otherRows)
  return {
    stages: stages.map((stage) => {
      const row = counted.find((one) => one.stage === stage)
      const untouched = stage === "off" ? (others?.off ?? 0) : 0
      return { stage, people: (row?.people ?? 0) + untouched, failed: row?.failed ?? 0 }
    }),
    bornInObjects: others?.born ?? 0,
  }
})

/** Ceilings lifted by one statement. */
const clearedAtOnce = 10_000

const isHeldBack = "ceiling IS NOT NULL AND (?1 IS NULL OR user_id IN (SELECT value FROM json_each(?1)))"

const countLiftable = `SELECT count(*) AS people FROM token_migration_status WHERE ${isHeldBack}`

const lift = `UPDATE token_migration_status SET ceiling = NULL WHERE user_id IN (
    SELECT user_id FROM token_migration_status
    WHERE ${isHeldBack} LIMIT ${clearedAtOnce})
  RETURNING 1`

const toList = (people: ReadonlyArray<string> | undefined) => (people === undefined ? null : JSON.stringify(people))

/** How many ceilings `clearCeilings` would take away. */
export const countCeilings = Effect.fn("countCeilings")(function* (people: ReadonlyArray<string> | undefined) {
  const database = yield* Database
  const [counted] = yield* database.rows("ceilings", statement(countLiftable, toList(people)))
  return { lifted: Number(counted?.["people"]) }
})

/** Takes the ceilings away that rollbacks left: of these people, or of everybody. Tells of how many. */
export const clearCeilings = Effect.fn("clearCeilings")(function* (people: ReadonlyArray<string> | undefined) {
  const database = yield* Database
  const named = toList(people)
  let lifted = 0
  for (;;) {
    const rows = yield* database.rows("lift", statement(lift, named))
    lifted += rows.length
    if (rows.length < clearedAtOnce) return { lifted }
  }
})
