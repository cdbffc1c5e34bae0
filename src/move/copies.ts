import { Clock, Effect, Schema } from "effect"
import { askDatabase } from "../domain/database.ts"
import type { Stage } from "../domain/stage.ts"
import type { TokenSet } from "../domain/token.ts"
import { UserId } from "../domain/user.ts"
import { call } from "../rpc/call.ts"
import type { Reply, Wire } from "../rpc/contract.ts"
import { ImportTokens } from "../rpc/move.ts"
import { toInvalidRequest } from "../rpc/serve.ts"
import type { AccountKey } from "./account.ts"
import { countOperations } from "./tokenOperations.ts"

/** `importTokens` of the caller's binding to the core worker. */
export type InvokeImport = (payload: Wire<typeof ImportTokens>) => PromiseLike<Reply<"importTokens">>

/** Copies written at the same time. */
const copiesAtOnce = 10

/** How long a refresh waits for one object. */
const timeLimit = "10 seconds"

export interface Copy extends AccountKey {
  readonly epoch: number
  /** Of D1's row, now that it has these tokens: copies may overtake each other, and the newest stays. */
  readonly generation: number
  readonly tokens: TokenSet
}

/**
 * Whether the person's object keeps a copy of what D1 holds. Beyond `shadow` too: on the way back, D1 holds the account before the
 * person's stage says so.
 */
export const hasCopy = (stage: Stage): boolean => stage !== "off"

const decodeUserId = Schema.decodeUnknownEffect(UserId)

/**
 * Writes new tokens to the copies that objects keep. A copy that fails is counted and logged and
 * fails nothing: the migrator compares every copy before it counts on it, and writes it again.
 */
export const copyTokens = (database: D1Database, invoke: InvokeImport) => {
  const importTokens = call(ImportTokens, invoke)
  const copyOne = Effect.fnUntraced(function* ({ userId: id, provider, epoch, generation, tokens }: Copy) {
    const userId = yield* Effect.mapError(decodeUserId(id), (error) => toInvalidRequest(ImportTokens.name, error))
    yield* importTokens({ userId, accounts: [{ provider, epoch, generation, tokens }] })
  })
  return Effect.fn("copyTokens")(function* (copies: ReadonlyArray<Copy>) {
    if (copies.length === 0) return
    const counts = yield* Effect.forEach(
      copies,
      Effect.fnUntraced(function* (copy) {
        const startedAt = yield* Clock.currentTimeMillis
        const outcome = yield* copyOne(copy).pipe(
          Effect.as("ok"),
          Effect.timeoutOrElse({ duration: timeLimit, orElse: () => Effect.succeed("TimedOut") }),
          Effect.catch((error) =>
            Effect.logWarning("An object did not take a copy of new tokens", error.message).pipe(Effect.as(error._tag)),
          ),
        )
        const tookMs = (yield* Clock.currentTimeMillis) - startedAt
        return {
          operation: "copy" as const,
          source: "database" as const,
          outcome,
          count: 1,
          totalMs: tookMs,
          slowestMs: tookMs,
        }
      }),
      { concurrency: copiesAtOnce },
    )
    const now = yield* Clock.currentTimeMillis
    yield* Effect.ignore(askDatabase("token operations", () => countOperations(database, now, counts).run()))
  })
}
