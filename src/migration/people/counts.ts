import { Effect, Schema } from "effect"
import { Stage, stages } from "../../domain/stage.ts"
import { Database, decodeRows, statement } from "../Database.ts"

const selectStages = `SELECT stage, count(*) AS people, count(*) FILTER (WHERE state = 'failed') AS failed
  FROM token_migration_status GROUP BY stage`

const selectOthers = `SELECT count(*) FILTER (WHERE isHeld) AS off, count(*) FILTER (WHERE NOT isHeld) AS started FROM (
    SELECT max(holder <> 'object') AS isHeld FROM user_accounts
    WHERE user_id NOT IN (SELECT user_id FROM token_migration_status) GROUP BY user_id)`

const selectCeilings = `SELECT ceiling, count(*) AS people FROM token_migration_status WHERE ceiling IS NOT NULL GROUP BY ceiling`

const decodeStages = decodeRows(Schema.Struct({ stage: Stage, people: Schema.Int, failed: Schema.Int }))
const decodeOthers = decodeRows(Schema.Struct({ off: Schema.Int, started: Schema.Int }))
const decodeCeilings = decodeRows(Schema.Struct({ ceiling: Stage, people: Schema.Int }))

/** Counts people by the stage that they are at, and by the ceiling that a rollback set. */
export const countStages = Effect.fn("countStages")(function* () {
  const database = yield* Database
  const [stageRows = [], otherRows = [], ceilingRows = []] = yield* database.batch("stages", [
    statement(selectStages),
    statement(selectOthers),
    statement(selectCeilings),
  ])
  const counted = yield* decodeStages(stageRows)
  const [others] = yield* decodeOthers(otherRows)
  const held = yield* decodeCeilings(ceilingRows)
  return {
    stages: stages.map((stage) => {
      const row = counted.find((one) => one.stage === stage)
      const untouched = stage === "off" ? (others?.off ?? 0) : 0
      return { stage, people: (row?.people ?? 0) + untouched, failed: row?.failed ?? 0 }
    }),
    bornInObjects: others?.started ?? 0,
    ceilings: stages.flatMap((stage) => held.filter(({ ceiling }) => ceiling === stage)),
  }
})
