import { Effect, Exit } from "effect"
import type { UserId } from "../domain/user.ts"
import { reach } from "./call.ts"
import type { Contract, Reply } from "./contract.ts"
import { toInvalidRequest } from "./serve.ts"

/**
 * What an entrypoint does for the caller that it stands for: checks the payload at the door, so that a bad one never
 * reaches (or creates) an object, and hands the object's reply back unopened.
 */
export const forward = <Name extends string, P extends { readonly userId: UserId }, W, A, E>(
  contract: Contract<Name, P, W, A, E>,
  wire: W,
  invoke: (userId: UserId) => PromiseLike<Reply<Name>>,
): Effect.Effect<Reply<Name>> =>
  contract.decodePayload(wire).pipe(
    Effect.mapError((error) => toInvalidRequest(contract.name, error)),
    Effect.flatMap(({ userId }) => reach(contract, () => invoke(userId))),
    Effect.catch((error) => Effect.succeed({ method: contract.name, exit: contract.encodeExit(Exit.fail(error)) })),
  )
