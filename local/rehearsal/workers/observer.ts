import { Effect, Redacted } from "effect"
import { Hex } from "effect/encoding"
import type { MigrationEntrypoint, TokensEntrypoint } from "../../../src/core/entrypoints.ts"
import { UserId } from "../../../src/domain/user.ts"
import { call } from "../../../src/rpc/call.ts"
import { ExportTokens } from "../../../src/rpc/methods.ts"
import { GetAccessToken } from "../../../src/rpc/move.ts"
import type { Holding, OperationName, Operations, Provider } from "./operations.ts"
import type { Statements } from "./statements.ts"

interface ObserverEnv {
  readonly DB: D1Database
  readonly MIGRATION: Service<typeof MigrationEntrypoint>
  readonly TOKENS: Service<typeof TokensEntrypoint>
  readonly GATEWAY_STATEMENTS: Service<typeof Statements>
  readonly CORE_STATEMENTS: Service<typeof Statements>
  readonly CRON_STATEMENTS: Service<typeof Statements>
  readonly MIGRATION_STATEMENTS: Service<typeof Statements>
}

type Answers = {
  readonly [Name in OperationName]: (
    env: ObserverEnv,
    input: Operations[Name]["input"],
  ) => Promise<Operations[Name]["output"]>
}

/** Objects asked at the same time. */
const atOnce = 20

const digest = async (secret: Redacted.Redacted<string>): Promise<string> => {
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(Redacted.value(secret)))
  return Hex.encode(new Uint8Array(bytes))
}

const answers: Answers = {
  query: async ({ DB }, statements) => {
    const prepared = statements.map(({ sql, values = [] }) => DB.prepare(sql).bind(...values))
    return (await DB.batch(prepared)).map(({ results }) => results)
  },

  statements: async ({ GATEWAY_STATEMENTS, CORE_STATEMENTS, CRON_STATEMENTS, MIGRATION_STATEMENTS }) => {
    const watched = [GATEWAY_STATEMENTS, CORE_STATEMENTS, CRON_STATEMENTS, MIGRATION_STATEMENTS]
    const counts = await Promise.all(
      watched.map(async (worker) => {
        using answer = await worker.counts()
        const { statements: all, tokenStatements: ofTokens, mostSubrequests } = answer
        return { all, ofTokens, mostSubrequests }
      }),
    )
    return counts.reduce((sum, { all, ofTokens, mostSubrequests }) => ({
      all: sum.all + all,
      ofTokens: sum.ofTokens + ofTokens,
      mostSubrequests: Math.max(sum.mostSubrequests, mostSubrequests),
    }))
  },

  readTokens: ({ TOKENS }, accounts) => {
    const getAccessToken = call(GetAccessToken, (wire) => TOKENS.getAccessToken(wire))
    const ofAccount = ({ userId, provider }: { readonly userId: string; readonly provider: Provider }) =>
      getAccessToken({ userId: UserId.make(userId), provider }).pipe(
        Effect.match({ onSuccess: ({ source }): string => source, onFailure: ({ _tag }) => _tag }),
      )
    return Effect.forEach(accounts, ofAccount, { concurrency: atOnce }).pipe(
      Effect.map((outcomes) => Object.groupBy(outcomes, (outcome) => outcome)),
      Effect.map((groups) => Object.fromEntries(Object.entries(groups).map(([name, all]) => [name, all?.length ?? 0]))),
      Effect.runPromise,
    )
  },

  holdings: ({ MIGRATION }, userIds) => {
    const exportTokens = call(ExportTokens, (wire) => MIGRATION.exportTokens(wire))
    const ofPerson = (userId: string) =>
      exportTokens({ userId: UserId.make(userId) }).pipe(
        Effect.flatMap(({ accounts }) =>
          Effect.forEach(accounts, ({ provider, state, tokens }) =>
            Effect.map(
              Effect.promise(() => digest(tokens.refreshToken)),
              (refreshTokenDigest): Holding => ({ userId, provider, state, refreshTokenDigest }),
            ),
          ),
        ),
      )
    return Effect.forEach(userIds, ofPerson, { concurrency: atOnce }).pipe(
      Effect.map((holdings) => holdings.flat()),
      Effect.runPromise,
    )
  },
}

const isOperation = (name: string): name is OperationName => Object.hasOwn(answers, name)

const answer = <Name extends OperationName>(name: Name, env: ObserverEnv, input: Operations[Name]["input"]) =>
  answers[name](env, input)

/** Tells what D1 has, how many statements were sent, and what the objects hold. Runs beside pollen's workers. */
export default {
  fetch: async (request, env) => {
    const name = new URL(request.url).pathname.slice(1)
    if (!isOperation(name)) return new Response(null, { status: 404 })
    return Response.json(await answer(name, env, await request.json()))
  },
} satisfies ExportedHandler<ObserverEnv>
