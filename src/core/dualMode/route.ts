import { Effect, Schedule, Schema } from "effect"
import { DatabaseUnavailable, type HeldElsewhere } from "../../domain/error.ts"
import type { AccountRow } from "../../move/account.ts"

/** Somebody else changed who holds the account between the read and the write. */
export class Forestalled extends Schema.TaggedError<Forestalled>()("Forestalled", {}) {}

/** How often a forestalled call is retried, and how long it waits in between, with jitter. */
const again = Schedule.exponential("20 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 6 }))

/** Retries what was forestalled, a few times. */
export const retryForestalled = <A, E>(
  operation: string,
  attempt: Effect.Effect<A, E | Forestalled>,
): Effect.Effect<A, Exclude<E, Forestalled> | DatabaseUnavailable> => {
  const isForestalled = (error: E | Forestalled): error is Forestalled => error instanceof Forestalled
  return Effect.retry(attempt, { schedule: again, while: isForestalled }).pipe(
    Effect.catchIf(isForestalled, () =>
      Effect.fail(new DatabaseUnavailable({ operation, reason: "the account changed hands each time; ask again" })),
    ),
  ) as Effect.Effect<A, Exclude<E, Forestalled> | DatabaseUnavailable>
}

/** The side that a person's own call is for, where the object has said that it does not hold the account. */
export type Route =
  | { readonly side: "new"; readonly owner: "object" | "database"; readonly epoch: number }
  /** The object comes to hold the account: a hand-over forward is finished. */
  | { readonly side: "object"; readonly epoch: number }
  /** D1 writes, and holds the account as of the epoch: where that is not the row's own, a hand-over back is finished. */
  | { readonly side: "database"; readonly row: AccountRow; readonly epoch: number }

/**
 * Reads off D1's rows where a call belongs. `refusal` is what the object said, and with that the epoch that it knows of.
 * A person's accounts stay on one side: a new one goes where D1 holds another.
 */
export const routeOf = (rows: ReadonlyArray<AccountRow>, refusal: HeldElsewhere): Route => {
  const row = rows.find(({ provider }) => provider === refusal.provider)
  if (row === undefined) {
    const owner = rows.some(({ holder }) => holder === "database") ? "database" : "object"
    return { side: "new", owner, epoch: Math.max(1, refusal.epoch) }
  }
  if (row.holder === "database") return { side: "database", row, epoch: row.epoch }
  if (refusal.epoch <= row.epoch) return { side: "object", epoch: row.epoch }
  return { side: "database", row, epoch: refusal.epoch }
}
