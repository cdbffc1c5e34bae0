import { type Cause, Effect } from "effect"
import { InternalError } from "../domain/error.ts"

/** Logs an unexpected failure under a new reference, and returns the error that carries the reference to the client. */
export const toInternalError = (during: string, cause: Cause.Cause<unknown>): Effect.Effect<InternalError> => {
  const reference = crypto.randomUUID()
  return Effect.logError(`${during} failed unexpectedly (reference ${reference})`, cause).pipe(
    Effect.as(new InternalError({ reference })),
  )
}
