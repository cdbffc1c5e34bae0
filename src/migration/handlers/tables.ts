import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import { dropTokenColumns, readContract } from "../contract/dropTokenColumns.ts"
import { Database } from "../Database.ts"
import { Runs } from "../runs/Runs.ts"
import { Tables } from "../table/Tables.ts"

export const tablesLayer = HttpApiBuilder.group(
  Api,
  "tables",
  Effect.fnUntraced(function* (handlers) {
    const tables = yield* Tables
    const { act } = yield* Audit
    return handlers.handleAll({
      checkTable: ({ payload: { mapping, sample } }) =>
        answerProblems(act("checkTable", { table: mapping.table }, tables.check(mapping, sample))),
      takeIn: ({ payload: { mapping, ...intake } }) =>
        answerProblems(act("takeIn", { table: mapping.table, ...intake }, tables.takeIn(mapping, intake))),
    })
  }),
)

export const contractLayer = HttpApiBuilder.group(
  Api,
  "contract",
  Effect.fnUntraced(function* (handlers) {
    const database = yield* Database
    const runs = yield* Runs
    const { act } = yield* Audit
    return handlers.handleAll({
      getContract: () => answerProblems(Effect.provideService(readContract(), Database, database)),
      dropTokenColumns: () => {
        const drop = Effect.provideService(Effect.provideService(dropTokenColumns(), Database, database), Runs, runs)
        return answerProblems(act("dropTokenColumns", {}, drop))
      },
    })
  }),
)
