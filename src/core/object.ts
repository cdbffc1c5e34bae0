import type { UserId } from "../domain/user.ts"
import type { InvokeImport } from "../move/copies.ts"
import type { ProgressCallback } from "../object/UserSubscriptionManager.ts"
import { call } from "../rpc/call.ts"
import { GetStatus, PollNow, RefreshTokens, ValidateTokens } from "../rpc/methods.ts"
import {
  DiscardCopies,
  HolderGetAccessToken,
  HolderListSubscriptions,
  HolderRemoveToken,
  HolderSetToken,
} from "../rpc/move.ts"
import type { CoreEnv } from "./env.ts"

/** The object of a person. A new stub for every call: one that has thrown is broken for good. */
export const objectOf = ({ USERS }: Pick<CoreEnv, "USERS">, userId: string) => USERS.get(USERS.idFromName(userId))

/** `importTokens` of whichever person a copy is of. */
export const importInto =
  (env: CoreEnv): InvokeImport =>
  (wire) =>
    objectOf(env, wire.userId).importTokens(wire)

/** What the entrypoints ask the object of a person on behalf of that person. */
export const personInObject = (env: CoreEnv, userId: UserId) => {
  const object = () => objectOf(env, userId)
  return {
    setToken: call(HolderSetToken, (wire) => object().setToken(wire)),
    removeToken: call(HolderRemoveToken, (wire) => object().removeToken(wire)),
    getAccessToken: call(HolderGetAccessToken, (wire) => object().getAccessToken(wire)),
    discardCopies: call(DiscardCopies, (wire) => object().discardCopies(wire)),
    validateTokens: call(ValidateTokens, (wire) => object().validateTokens(wire)),
    refreshTokens: call(RefreshTokens, (wire) => object().refreshTokens(wire)),
    listSubscriptions: call(HolderListSubscriptions, (wire) => object().listSubscriptions(wire)),
    getStatus: call(GetStatus, (wire) => object().getStatus(wire)),
    pollNow: (onProgress?: ProgressCallback) => call(PollNow, (wire) => object().pollNow(wire, onProgress)),
  }
}
