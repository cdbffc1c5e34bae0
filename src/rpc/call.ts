import { Effect, Predicate, Random } from "effect"
import { ObjectUnavailable } from "../domain/error.ts"
import { countingSubrequest } from "../domain/subrequests.ts"
import type { CommonError, Contract, Reply } from "./contract.ts"
import { toInvalidRequest } from "./serve.ts"

/** How long it is waited before the one further try of an idempotent call, in milliseconds: not all callers at once. */
const wait = Effect.flatMap(Random.nextBetween(50, 150), Effect.sleep)

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
 * Invokes a native method, once more if it was not reached: only idempotent ones, and never an overloaded object. `invoke` is run anew
 * for each attempt, so that it can take a new stub: one that has thrown is broken for good.
 *
 * The platform retries by itself what never arrived, up to 5 times within 10 s
 * (https://developers.cloudflare.com/durable-objects/best-practices/error-handling/), and further tries of ours multiply those. One is
 * left, for what it does not retry: a call that was cut off, because the object was moved or its code replaced.
 */
export const reach = <Name extends string, P, W, A, E>(
  contract: Contract<Name, P, W, A, E>,
  invoke: () => PromiseLike<Reply<Name>>,
): Effect.Effect<Reply<Name>, ObjectUnavailable> => {
  const attempt = countingSubrequest(
    Effect.tryPromise({
      try: () => settle(invoke()),
      catch: (thrown) => toUnavailable(contract.name, thrown),
    }),
  )
  if (!contract.idempotent) return attempt
  return Effect.catchIf(attempt, isWorthAnother, () => Effect.andThen(wait, attempt))
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
