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
    const check =
      (action: string) =>
      ({
        payload: { mapping, sample },
      }: {
        readonly payload: { readonly mapping: Mapping; readonly sample?: number }
      }) =>
        answerProblems(act(action, { table: mapping.table }, tables.check(mapping, sample)))
    const importRows =
      (action: string) =>
      ({ payload: { mapping, ...page } }: { readonly payload: PageOfRows & { readonly mapping: Mapping } }) =>
        answerProblems(act(action, { table: mapping.table, ...page }, tables.importRows(mapping, page)))
    return handlers.handleAll({
      checkTable: check("checkTable"),
      importRows: importRows("importRows"),
      checkFollows: check("checkFollows"),
      importFollows: importRows("importFollows"),
      checkFeed: check("checkFeed"),
      importFeed: importRows("importFeed"),
    })
  }),
)
