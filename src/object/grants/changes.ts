import { outbox, person } from "../../../schema/object.ts"
import type { Provider } from "../../domain/provider.ts"
import type { TokenEventType } from "../../domain/token.ts"
import type { ObjectDatabase } from "../Store.ts"
import type { TokenEvents } from "./TokenEvents.ts"

/** Events that leave an account's state as it is: D1 need not hear of them. */
const leavesState: ReadonlySet<TokenEventType> = new Set(["refreshed", "rotated", "resealed", "exported"])

/** Events with which the tokens become others, or go. */
const changesTokens: ReadonlySet<TokenEventType> = new Set([
  "connected",
  "token_set",
  "refreshed",
  "rotated",
  "disconnected",
])

/** D1's mirror is to follow. One row for every change, also where one waits: that may be on its way with the tokens before these. */
export const enqueueMirror = (db: ObjectDatabase, provider: Provider): void => {
  db.insert(outbox)
    .values({ kind: "mirror", body: JSON.stringify({ provider }) })
    .run()
}

/**
 * Records an event of an account that the object holds, and what D1 has to be told of it: the account's new state, and the tokens
 * where D1 keeps a mirror. To be called inside the transaction that changes the account.
 */
export const recordChange = (
  db: ObjectDatabase,
  events: TokenEvents["Service"],
  provider: Provider,
  type: TokenEventType,
  at: number,
  detail?: string,
): void => {
  // An ordinary refresh happens with most wakes and changes nothing that anybody asks for: the grant's row has when it was.
  if (type !== "refreshed") events.record(provider, type, at, detail)
  if (!leavesState.has(type)) {
    db.insert(outbox)
      .values({ kind: "account", body: JSON.stringify({ provider, at }) })
      .run()
    db.update(person).set({ isHeartbeatDue: true }).run()
  }
  if (!changesTokens.has(type)) return
  const self = db.select({ isMirrored: person.isMirrored }).from(person).get()
  if (self?.isMirrored === true) enqueueMirror(db, provider)
}
