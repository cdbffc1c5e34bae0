import { Cause, Effect, Exit, Option, type Schema, SchemaIssue } from "effect"
import { InternalError, InvalidRequest } from "../domain/error.ts"
import type { CommonError, Contract, Reply } from "./contract.ts"

/** What is said of a field that the schema does not have. */
export const unknownField = "is not a field of this request"

const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => (issue._tag === "UnexpectedKey" ? unknownField : SchemaIssue.defaultLeafHook(issue)),
})

/** Says which fields are wrong and how, without repeating a value. */
export const toInvalidRequest = (method: string, error: Schema.SchemaError): InvalidRequest =>
  new InvalidRequest({
    method,
    issues: formatIssue(error.issue).issues.map(({ message, path }) => ({
      path: (path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment)).join("."),
      message,
    })),
  })

/** A method's own errors pass; a defect stays in the log and crosses as a reference to it. */
const expectedOnly = <A, E>(method: string, exit: Exit.Exit<A, E>): Effect.Effect<Exit.Exit<A, E | InternalError>> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(exit)
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isSome(error)) return Effect.succeed(Exit.fail(error.value))
  const reference = crypto.randomUUID()
  return Effect.logError(`${method} failed unexpectedly (reference ${reference})`, exit.cause).pipe(
    Effect.as(Exit.fail(new InternalError({ reference }))),
  )
}

/**
 * Turns an Effect handler into what a native RPC method does: the payload is decoded at the door, and every outcome,
 * defects included, leaves as an encoded `Exit`. The effect never fails, so a method that runs it never throws: a thrown
 * error would break the caller's stub and be logged as uncaught.
 */
export const serve =
  <Name extends string, P, W, A, E, R, Extra extends ReadonlyArray<unknown> = []>(
    contract: Contract<Name, P, W, A, E>,
    handler: (payload: P, ...extra: Extra) => Effect.Effect<A, E | CommonError, R>,
  ) =>
  (wire: W, ...extra: Extra): Effect.Effect<Reply<Name>, never, R> => {
    const outcome = contract.decodePayload(wire).pipe(
      Effect.mapError((error) => toInvalidRequest(contract.name, error)),
      Effect.flatMap((payload) => handler(payload, ...extra)),
    )
    return Effect.exit(outcome).pipe(
      Effect.flatMap((exit) => expectedOnly(contract.name, exit)),
      Effect.map((exit) => ({ method: contract.name, exit: contract.encodeExit(exit) })),
    )
  }
