import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import type { Mapping } from "../api/mapping.ts"
import { type PageOfRows, Tables } from "../table/Tables.ts"

export const tablesLayer = HttpApiBuilder.group(
  Api,
  "tables",
  Effect.fnUntraced(function* (handlers) {
    const tables = yield* Tables
    const { act } = yield* Audit
    const check = ({
      payload: { mapping, sample },
    }: {
      readonly payload: { readonly mapping: Mapping; readonly sample?: number }
    }) => answerProblems(act("checkTable", { table: mapping.table }, tables.check(mapping, sample)))
    const importRows = ({
      payload: { mapping, ...page },
    }: {
      readonly payload: PageOfRows & { readonly mapping: Mapping }
    }) => answerProblems(act("importRows", { table: mapping.table, ...page }, tables.importRows(mapping, page)))
    return handlers.handleAll({
      checkTable: check,
      importRows,
      checkFollows: check,
      importFollows: importRows,
      checkFeed: check,
      importFeed: importRows,
    })
  }),
)
