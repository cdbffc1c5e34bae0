import { Effect, Predicate, Random, Schedule } from "effect"
import { ObjectUnavailable } from "../domain/error.ts"
import type { CommonError, Contract, Reply } from "./contract.ts"
import { toInvalidRequest } from "./serve.ts"

/** How long it is waited before the first of three further tries of an idempotent call, and between them, with jitter. */
const firstWait = Effect.flatMap(Random.nextBetween(40, 60), Effect.sleep)
const retries = Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ times: 2 }))

/** Whether the platform said that a call may be tried again. */
const isWorthAnother = (error: ObjectUnavailable): boolean => error.retryable && !error.overloaded

/** What the platform throws: https://developers.cloudflare.com/durable-objects/best-practices/error-handling/ */
const toUnavailable = (method: string, thrown: unknown): ObjectUnavailable =>
  new ObjectUnavailable({
    method,
    retryable: Predicate.hasProperty(thrown, "retryable") && thrown.retryable === true,
    overloaded: Predicate.hasProperty(thrown, "overloaded") && thrown.overloaded === true,
  })

/** Copies what a reply says and lets go of the reply: an undisposed one keeps the other side's context alive. */
const settle = async <Name extends string>(invoked: PromiseLike<Reply<Name>>): Promise<Reply<Name>> => {
  const reply: Reply<Name> & Partial<Disposable> = await invoked
  const copy = { method: reply.method, exit: reply.exit }
  reply[Symbol.dispose]?.()
  return copy
}

/**
 * Invokes a native method until it has been reached: only idempotent ones are tried again, and never an overloaded object.
 * `invoke` is run anew for each attempt, so that it can take a new stub: one that has thrown is broken for good.
 */
export const reach = <Name extends string, P, W, A, E>(
  contract: Contract<Name, P, W, A, E>,
  invoke: () => PromiseLike<Reply<Name>>,
): Effect.Effect<Reply<Name>, ObjectUnavailable> => {
  const attempt = Effect.tryPromise({
    try: () => settle(invoke()),
    catch: (thrown) => toUnavailable(contract.name, thrown),
  })
  if (!contract.idempotent) return attempt
  // Most calls are answered at once, so a schedule is only made when one was not.
  const again = Effect.andThen(firstWait, Effect.retry(attempt, { schedule: retries, while: isWorthAnother }))
  return Effect.catchIf(attempt, isWorthAnother, () => again)
}

/**
 * Calls a native RPC method and gives its outcome back as an Effect: the method's own errors as instances of their
 * classes, `ObjectUnavailable` for what the platform threw.
 *
 * ```ts
 * const status = call(GetStatus, (payload) => env.CORE.getStatus(payload))({ userId })
 * ```
 */
export const call =
  <Name extends string, P, W, A, E>(
    contract: Contract<Name, P, W, A, E>,
    invoke: (payload: W) => PromiseLike<Reply<Name>>,
  ) =>
  (payload: P): Effect.Effect<A, E | CommonError> =>
    contract.encodePayload(payload).pipe(
      Effect.mapError((error) => toInvalidRequest(contract.name, error)),
      Effect.flatMap((wire) => reach(contract, () => invoke(wire))),
      Effect.flatMap(({ exit }) => Effect.flatten(Effect.orDie(contract.decodeExit(exit)))),
    )
