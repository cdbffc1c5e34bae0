import { sql } from "drizzle-orm"
import { Clock, Effect, Exit, Option } from "effect"
import { operations } from "../../../schema/object.ts"
import { type ObjectDatabase, prepared, Store } from "../Store.ts"

/** Token operations that an object answers. `read`: an access token for somebody else; `write`: `setToken`. */
type Operation = "read" | "write" | "refresh"

const selectOperations = prepared((db) => db.select().from(operations).prepare())

/** Counts of one object since it began, as its heartbeat tells D1. */
export const readOperations = (db: ObjectDatabase) => selectOperations(db).all()

/**
 * Runs a token operation and counts it by its outcome, with the time that it took. Counts are rows: they survive an eviction, and
 * reach D1 with the object's next heartbeat, so that counting asks nothing of D1.
 */
export const counted = <A, E extends { readonly _tag: string }, R>(
  operation: Operation,
  effect: Effect.Effect<A, E, R>,
): Effect.Effect<A, E, R | Store> =>
  Effect.gen(function* () {
    const { db } = yield* Store
    const startedAt = yield* Clock.currentTimeMillis
    const exit = yield* Effect.exit(effect)
    const tookMs = Math.max(0, (yield* Clock.currentTimeMillis) - startedAt)
    const failure = Exit.findErrorOption(exit)
    const outcome = Exit.isSuccess(exit)
      ? "ok"
      : Option.match(failure, { onNone: () => "Defect", onSome: ({ _tag }) => _tag })
    db.insert(operations)
      .values({ operation, outcome, count: 1, totalMs: tookMs, slowestMs: tookMs })
      .onConflictDoUpdate({
        target: [operations.operation, operations.outcome],
        set: {
          count: sql`${operations.count} + 1`,
          totalMs: sql`${operations.totalMs} + ${tookMs}`,
          slowestMs: sql`max(${operations.slowestMs}, ${tookMs})`,
        },
      })
      .run()
    return yield* exit
  })
