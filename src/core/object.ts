import type { UserId } from "../domain/user.ts"
import type { InvokeImport } from "../move/copies.ts"
import { call } from "../rpc/call.ts"
import { DiscardCopies, HolderGetAccessToken, HolderRemoveToken, HolderSetToken } from "../rpc/move.ts"
import type { CoreEnv } from "./env.ts"

/** The object of a person. A new stub for every call: one that has thrown is broken for good. */
export const objectOf = ({ USERS }: Pick<CoreEnv, "USERS">, userId: string) => USERS.get(USERS.idFromName(userId))

/** `importTokens` of whichever person a copy is of. */
export const importInto =
  (env: CoreEnv): InvokeImport =>
  (wire) =>
    objectOf(env, wire.userId).importTokens(wire)

/** What the entrypoints ask the object of a person on behalf of that person. */
export const personInObject = (env: CoreEnv, userId: UserId) => ({
  setToken: call(HolderSetToken, (wire) => objectOf(env, userId).setToken(wire)),
  removeToken: call(HolderRemoveToken, (wire) => objectOf(env, userId).removeToken(wire)),
  getAccessToken: call(HolderGetAccessToken, (wire) => objectOf(env, userId).getAccessToken(wire)),
  discardCopies: call(DiscardCopies, (wire) => objectOf(env, userId).discardCopies(wire)),
})
