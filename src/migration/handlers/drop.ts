import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import { dropTokenColumns, readDropState } from "../contract/dropTokenColumns.ts"
import { Database } from "../Database.ts"
import { Runs } from "../runs/Runs.ts"

export const dropLayer = HttpApiBuilder.group(
  Api,
  "drop",
  Effect.fnUntraced(function* (handlers) {
    const database = yield* Database
    const runs = yield* Runs
    const { act } = yield* Audit
    return handlers.handleAll({
      getDropState: () => answerProblems(Effect.provideService(readDropState(), Database, database)),
      dropTokenColumns: ({ payload: { confirm: _confirm, ...options } }) => {
        const drop = dropTokenColumns(options).pipe(
          Effect.provideService(Database, database),
          Effect.provideService(Runs, runs),
        )
        return answerProblems(act("dropTokenColumns", options, drop))
      },
    })
  }),
)
