import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { eventStream, wantsEvents } from "../../http/events.ts"
import { answerProblems } from "../../http/problem.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import { Core } from "../Core.ts"
import { Invocation } from "../Invocation.ts"
import { pollEvents } from "./pollEvents.ts"

export const pollingLayer = HttpApiBuilder.group(
  Api,
  "polling",
  Effect.fnUntraced(function* (handlers) {
    const core = yield* Core
    return handlers.handle(
      "pollNow",
      Effect.fn("pollNow")(function* ({ headers }) {
        const userId = yield* CurrentUser
        const { keepAlive } = yield* Invocation
        return wantsEvents(headers.accept)
          ? HttpServerResponse.stream(
              pollEvents((onProgress) => core.pollNow(userId, keepAlive, onProgress)),
              { contentType: eventStream },
            )
          : yield* core.pollNow(userId, keepAlive)
      }, answerProblems),
    )
  }),
)
