import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import { Database } from "../Database.ts"
import { Flags } from "../Flags.ts"
import { countStages } from "../people/counts.ts"

export const flagsLayer = HttpApiBuilder.group(
  Api,
  "flags",
  Effect.fnUntraced(function* (handlers) {
    const flags = yield* Flags
    const database = yield* Database
    const { act } = yield* Audit
    return handlers.handleAll({
      getFlags: () => answerProblems(flags.read),
      changeMove: ({ payload }) => answerProblems(act("changeMove", payload, flags.changeMove(payload))),
      changeStage: ({ params: { stage }, payload }) =>
        answerProblems(act("changeStage", { stage, ...payload }, flags.changeStage(stage, payload))),
      countStages: () => answerProblems(Effect.provideService(countStages(), Database, database)),
    })
  }),
)
