import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { answerProblems } from "../../http/problem.ts"
import { Audit } from "../Audit.ts"
import { Api } from "../api/Api.ts"
import { Database } from "../Database.ts"
import { readMetrics } from "../readMetrics.ts"

/** The period whose cron runs count by default, in milliseconds. */
const defaultWindowMs = 24 * 3_600_000

/** Actions in a page by default. */
const defaultLimit = 50

export const metricsLayer = HttpApiBuilder.group(
  Api,
  "metrics",
  Effect.fnUntraced(function* (handlers) {
    const database = yield* Database
    const audit = yield* Audit
    return handlers.handleAll({
      getMetrics: Effect.fn("getMetrics")(function* ({ query: { since } }) {
        const now = yield* Clock.currentTimeMillis
        return yield* Effect.provideService(readMetrics(since ?? now - defaultWindowMs, now), Database, database)
      }, answerProblems),
      listActions: Effect.fn("listActions")(function* ({
        query: { before = Number.MAX_SAFE_INTEGER, limit = defaultLimit },
      }) {
        const actions = yield* audit.list(before, limit)
        return { actions, next: actions.length === limit ? (actions.at(-1)?.id ?? null) : null }
      }, answerProblems),
    })
  }),
)
