import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
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
      importRows: ({ payload: { mapping, ...page } }) =>
        answerProblems(act("importRows", { table: mapping.table, ...page }, tables.importRows(mapping, page))),
    })
  }),
)
