import { Clock, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { InvalidRequest } from "../../domain/error.ts"
import type { GivenTokens } from "../../domain/token.ts"
import { answerProblems } from "../../http/problem.ts"
import { CurrentUser } from "../Authorization.ts"
import { Api } from "../api/Api.ts"
import type { ConnectAccount } from "../api/accounts.ts"
import { Core } from "../Core.ts"

/** `now` is epoch milliseconds. The API lets a body through only with one of the two ends, so the other branch is never taken. */
const toTokenSet = (
  { expiresAt, expiresIn = 0, scope, isProbed: _option, ...known }: ConnectAccount,
  now: number,
): GivenTokens => ({
  expiresAt: expiresAt ?? now + expiresIn * 1000,
  ...known,
  scope: typeof scope === "string" ? scope.split(" ").filter((name) => name !== "") : scope,
})

/** The tokens of `setToken` are fields of the body here. */
const inBody = <E>(error: E): E | InvalidRequest =>
  error instanceof InvalidRequest
    ? new InvalidRequest({
        method: error.method,
        issues: error.issues.map(({ path, message }) => ({ path: path.replace(/^tokens\./, ""), message })),
      })
    : error

export const accountsLayer = HttpApiBuilder.group(
  Api,
  "accounts",
  Effect.fnUntraced(function* (handlers) {
    const core = yield* Core
    return handlers.handleAll({
      connectAccount: Effect.fn("connectAccount")(function* ({ params: { provider }, payload }) {
        const userId = yield* CurrentUser
        const tokens = toTokenSet(payload, yield* Clock.currentTimeMillis)
        const { isProbed } = payload
        const options = isProbed === undefined ? {} : { isProbed }
        return {
          provider,
          ...(yield* Effect.mapError(core.setToken({ userId, provider, tokens, ...options }), inBody)),
        }
      }, answerProblems),
      disconnectAccount: Effect.fn("disconnectAccount")(function* ({ params: { provider } }) {
        const userId = yield* CurrentUser
        return { provider, ...(yield* core.removeToken({ userId, provider })) }
      }, answerProblems),
      validateAccounts: Effect.fn("validateAccounts")(function* () {
        const userId = yield* CurrentUser
        return yield* core.validateTokens({ userId })
      }, answerProblems),
    })
  }),
)
