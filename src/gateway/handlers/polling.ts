import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { PolledTooSoon } from "../../http/error.ts"
import { eventStream, wantsEvents } from "../../http/events.ts"
import { answerProblems } from "../../http/problem.ts"
import type { PollProgress } from "../../rpc/methods.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import type { PollSummary } from "../api/polling.ts"
import { Core } from "../Core.ts"
import { Invocation } from "../Invocation.ts"
import { pollEvents } from "./pollEvents.ts"

/** Nothing was polled, and all that keeps it back is time: then a client is told to wait, as HTTP tells it. */
const refuseTooSoon = (summary: typeof PollSummary.Type) => {
  const possible = summary.accounts.map(({ outcome, retryAt }) => (outcome === "too_soon" ? retryAt : null))
  const moments = possible.filter((at) => at !== null)
  return moments.length === 0 || moments.length < possible.length
    ? Effect.succeed(summary)
    : Effect.fail(new PolledTooSoon({ retryAt: Math.min(...moments), ...summary }))
}

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
        const poll = (onProgress?: (progress: PollProgress) => void) =>
          Effect.flatMap(core.pollNow(userId, keepAlive, onProgress), refuseTooSoon)
        return wantsEvents(headers.accept)
          ? HttpServerResponse.stream(pollEvents(poll), { contentType: eventStream })
          : yield* poll()
      }, answerProblems),
    )
  }),
)
