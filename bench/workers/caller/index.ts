import { Effect, Redacted } from "effect"
import type { GatewayEntrypoint } from "../../../src/core/entrypoints.ts"
import { UserId } from "../../../src/domain/user.ts"
import { call } from "../../../src/rpc/call.ts"
import { PollNow, RefreshTokens, SetToken } from "../../../src/rpc/methods.ts"
import { Echo } from "../core/echo.ts"
import type { ComparedEntrypoint } from "../core/entrypoints.ts"
import type { OperationName, Operations } from "../operations.ts"
import { readRows } from "./rows.ts"

interface CallerEnv {
  readonly GATEWAY: Service<typeof GatewayEntrypoint>
  readonly COMPARED: Service<typeof ComparedEntrypoint>
  readonly DB: D1Database
  readonly HANDWRITTEN_DB: D1Database
}

type Answers = {
  readonly [Name in OperationName]: (
    env: CallerEnv,
    input: Operations[Name]["input"],
  ) => Promise<Operations[Name]["output"]>
}

/** Does something for each, so many at once. */
const each = async <A, B>(
  inputs: ReadonlyArray<A>,
  atOnce: number,
  act: (input: A) => Promise<B>,
): Promise<Array<B>> => {
  const results: Array<B> = []
  const queue = inputs.entries()
  const lane = async () => {
    for (const [index, input] of queue) results[index] = await act(input)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return results
}

const pollPerson = (env: CallerEnv) => {
  const pollNow = call(PollNow, (wire) => env.GATEWAY.pollNow(wire))
  return (userId: string) => Effect.runPromise(pollNow({ userId: UserId.make(userId) }))
}

const answers: Answers = {
  echo: async (env, { how, userId, text, calls }) => {
    const typed = call(Echo, (wire) => env.COMPARED.typedEcho(wire))
    const once = {
      typed: async () => (await Effect.runPromise(typed({ userId: UserId.make(userId), text, at: 1 }))).text,
      bare: async () => {
        using answer = await env.COMPARED.bareEcho({ userId, text, at: 1 })
        return answer.text
      },
    }[how]
    for (let index = 0; index < calls; index += 1) {
      if ((await once()) !== text) throw new Error("the echo is not what was called")
    }
    return null
  },

  setTokens: async (env, { side, grants }) => {
    const setToken = call(SetToken, (wire) => env.GATEWAY.setToken(wire))
    await each(grants, 10, async (grant) => {
      if (side === "handwritten") return env.COMPARED.setToken(grant)
      const { userId, provider, tokens } = grant
      const accessToken = Redacted.make(tokens.accessToken)
      const refreshToken = Redacted.make(tokens.refreshToken)
      const payload = { userId: UserId.make(userId), provider, tokens: { ...tokens, accessToken, refreshToken } }
      await Effect.runPromise(setToken(payload))
    })
    return null
  },

  poll: async (env, { side, userIds, atOnce }) => {
    const poll = pollPerson(env)
    const polled = await each(userIds, atOnce, async (userId) => {
      if (side === "pollen") return poll(userId)
      using answer = await env.COMPARED.pollNow(userId)
      return { accounts: [], delivered: answer.delivered, undelivered: 0 }
    })
    return {
      delivered: polled.reduce((sum, { delivered }) => sum + delivered, 0),
      undelivered: polled.reduce((sum, { undelivered }) => sum + undelivered, 0),
      failures: polled
        .flatMap(({ accounts }) => accounts)
        .filter(({ outcome, failed }) => outcome !== "polled" || failed > 0)
        .map(({ provider, outcome, reason }) => `${provider}: ${outcome}, ${reason ?? "a source failed"}`),
    }
  },

  evict: async (env, { side, userIds }) => {
    await each(userIds, 10, (userId) => env.COMPARED.evict(side, userId))
    return null
  },

  storm: async (env, { userId, polls, refreshes }) => {
    const poll = pollPerson(env)
    const refreshTokens = call(RefreshTokens, (wire) => env.GATEWAY.refreshTokens(wire))
    const refresh = () => Effect.runPromise(refreshTokens({ userId: UserId.make(userId) }))
    const calls = Array.from({ length: polls + refreshes }, async (_, index) => {
      const isPoll = index % 2 === 0 ? index / 2 < polls : (index - 1) / 2 >= refreshes
      const { accounts } = isPoll ? await poll(userId) : await refresh()
      return accounts.map(({ outcome }) => `${isPoll ? "pollNow" : "refreshTokens"} ${outcome}`)
    })
    const outcomes = Object.groupBy((await Promise.all(calls)).flat(), (outcome) => outcome)
    return Object.fromEntries(Object.entries(outcomes).map(([outcome, all]) => [outcome, all?.length ?? 0]))
  },

  counts: async (env, { userId }) => {
    using counts = await env.COMPARED.counts(userId)
    const { queries, rowsWritten, unmetered, arrivals, starts } = counts
    return { queries, rowsWritten, unmetered, arrivals, starts }
  },

  rows: (env, { side, userIds }) => readRows(side === "pollen" ? env.DB : env.HANDWRITTEN_DB, userIds),
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(answers, name)

const answer = <Name extends OperationName>(name: Name, env: CallerEnv, input: Operations[Name]["input"]) =>
  answers[name](env, input)

export default {
  fetch: async (request, env) => {
    const name = new URL(request.url).pathname.slice(1)
    if (!isOperation(name)) return new Response(null, { status: 404 })
    return Response.json(await answer(name, env, await request.json()))
  },
} satisfies ExportedHandler<CallerEnv>
