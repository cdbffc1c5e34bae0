import { Context, Effect, Layer, Schema } from "effect"
import { UserId } from "../domain/user.ts"
import { call } from "../rpc/call.ts"
import type { CommonError, Reply, Wire } from "../rpc/contract.ts"
import { Wake } from "../rpc/methods.ts"
import { toInvalidRequest } from "../rpc/serve.ts"

/** The object did not answer in time. */
class WakeTimedOut extends Schema.TaggedError<WakeTimedOut>()("WakeTimedOut", {}) {
  override get message(): string {
    return `wake: the object did not answer within ${timeLimit}`
  }
}

type WakeError = CommonError | WakeTimedOut

/** How long one object may keep a run waiting, with the second try. */
const timeLimit = "30 seconds"

/**
 * Whether another try can end differently. What the platform calls retryable has been retried by the call itself, and an
 * overloaded object is left alone: the next run comes in half an hour.
 */
const isWorthRetrying = (error: CommonError): boolean =>
  error._tag === "InternalError" || (error._tag === "ObjectUnavailable" && !error.retryable && !error.overloaded)

const decodeUserId = Schema.decodeUnknownEffect(UserId)

/** Wakes objects: one second try each, and no longer than {@link timeLimit}. */
export class Waker extends Context.Service<
  Waker,
  { readonly wake: (userId: string) => Effect.Effect<void, WakeError> }
>()("pollen/cron/Waker") {
  static readonly layer = (invoke: (payload: Wire<typeof Wake>) => PromiseLike<Reply<"wake">>): Layer.Layer<Waker> => {
    const callWake = call(Wake, invoke)
    return Layer.succeed(Waker, {
      wake: Effect.fn("Waker.wake")(function* (id) {
        const userId = yield* Effect.mapError(decodeUserId(id), (error) => toInvalidRequest(Wake.name, error))
        yield* callWake({ userId }).pipe(
          Effect.retry({ times: 1, while: isWorthRetrying }),
          Effect.timeoutOrElse({ duration: timeLimit, orElse: () => Effect.fail(new WakeTimedOut()) }),
        )
      }),
    })
  }
}
