import { Cause, Clock, Context, Effect, Exit, Layer, Option, Schema } from "effect"
import type { DatabaseUnavailable } from "../domain/error.ts"
import type { HttpError } from "../http/problem.ts"
import { Operator } from "./Authorization.ts"
import { type Action, Action as ActionSchema } from "./api/metrics.ts"
import { Database, decodeRows, statement } from "./Database.ts"

const begin = `INSERT INTO operator_actions (at, actor, action, detail, outcome) VALUES (?1, ?2, ?3, ?4, 'begun') RETURNING id`
const end = "UPDATE operator_actions SET outcome = ?2 WHERE id = ?1"

const select = `SELECT id, at, actor, action, detail, outcome FROM operator_actions WHERE id < ?1 ORDER BY id DESC LIMIT ?2`
const decodeActions = decodeRows(Schema.Struct({ ...ActionSchema.fields, detail: Schema.fromJsonString(Schema.Json) }))

const outcomeOf = <A, E extends HttpError>(exit: Exit.Exit<A, E>): string => {
  if (Exit.isSuccess(exit)) return "ok"
  return Option.match(Cause.findErrorOption(exit.cause), { onNone: () => "InternalError", onSome: ({ _tag }) => _tag })
}

/** The record of operators' actions: `operator_actions`. */
export class Audit extends Context.Service<
  Audit,
  {
    /**
     * Does something in an operator's name. Records the action before it is done and its outcome afterwards; an action that cannot be
     * recorded is not done. `detail` must hold no secret.
     */
    readonly act: <A, E extends HttpError, R>(
      action: string,
      detail: object,
      work: Effect.Effect<A, E, R>,
    ) => Effect.Effect<A, E | DatabaseUnavailable, R | Operator>
    /** Lists the newest actions before an id. */
    readonly list: (before: number, limit: number) => Effect.Effect<ReadonlyArray<Action>, DatabaseUnavailable>
  }
>()("pollen/migration/Audit") {
  static readonly layer: Layer.Layer<Audit, never, Database> = Layer.effect(
    Audit,
    Effect.gen(function* () {
      const database = yield* Database
      return Audit.of({
        act: (action, detail, work) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const row = statement(begin, now, yield* Operator, action, JSON.stringify(detail))
            const [begun] = yield* database.rows("audit", row)
            const exit = yield* Effect.exit(work)
            // The action is done: it must not fail because its outcome cannot be recorded.
            yield* Effect.ignore(database.rows("audit", statement(end, Number(begun?.["id"]), outcomeOf(exit))))
            return yield* exit
          }),
        list: (before, limit) =>
          Effect.flatMap(database.rows("audit", statement(select, before, limit)), decodeActions),
      })
    }),
  )
}
