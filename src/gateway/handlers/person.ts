import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { InvalidRequest } from "../../domain/error.ts"
import { answerProblems } from "../../http/problem.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import { Core } from "../Core.ts"

export const personLayer = HttpApiBuilder.group(
  Api,
  "person",
  Effect.fnUntraced(function* (handlers) {
    const core = yield* Core
    return handlers.handleAll({
      getStatus: Effect.fn("getStatus")(function* () {
        return yield* core.getStatus({ userId: yield* CurrentUser })
      }, answerProblems),
      listSubscriptions: Effect.fn("listSubscriptions")(function* ({ query }) {
        return yield* core.listSubscriptions({ userId: yield* CurrentUser, ...query })
      }, answerProblems),
      forgetMe: Effect.fn("forgetMe")(function* ({ query, headers }) {
        const userId = yield* CurrentUser
        if ((query.confirm ?? headers.confirm) !== userId) {
          return yield* new InvalidRequest({
            method: "forgetMe",
            issues: [{ path: "confirm", message: "must repeat your user id: this erases everything" }],
          })
        }
        return yield* core.forget({ userId })
      }, answerProblems),
    })
  }),
)
