import { Clock, Effect } from "effect"
import { accounts } from "../../schema/object.ts"
import { askDatabase } from "../domain/database.ts"
import { FeedDatabase, Outbox } from "./delivery/Outbox.ts"
import { erasure, highestEpoch } from "./delivery/statements.ts"
import { readTombstone } from "./person.ts"
import { Store } from "./Store.ts"
import { Underway } from "./Underway.ts"

/**
 * How far the next epoch lies above all that are known. D1 gives a right away one epoch before the object hears of it, and a first
 * account begins at 1 where no epoch is known at all: a call that was under way is always below.
 */
const epochsAhead = 2

/** Erases the person in D1, and returns the highest epoch that D1 had of them. */
const eraseInDatabase = Effect.gen(function* () {
  const { userId } = yield* Store
  const database = yield* FeedDatabase
  const [highest] = yield* askDatabase("forget", () =>
    database.batch<{ readonly epoch?: number }>(
      [highestEpoch, ...erasure].map((sql) => database.prepare(sql).bind(userId)),
    ),
  )
  return highest?.results[0]?.epoch ?? 0
})

/**
 * D1 first: if it does not answer, nothing is lost and the caller can ask again. A delivery under way is waited for, and none begins
 * until the object is erased too; whatever else is under way in the object is ended before its rows go.
 */
export const forget = Effect.fnUntraced(function* () {
  const store = yield* Store
  const { withoutDeliveries } = yield* Outbox
  const { end } = yield* Underway
  const eraseObject = (inDatabase: number) =>
    Effect.gen(function* () {
      const known = store.db.select({ epoch: accounts.epoch }).from(accounts).all()
      const before = readTombstone(store)?.epoch ?? 0
      const highest = Math.max(inDatabase, before, ...known.map(({ epoch }) => epoch))
      yield* store.erase({ forgottenAt: yield* Clock.currentTimeMillis, epoch: highest + epochsAhead })
    })
  yield* withoutDeliveries(Effect.flatMap(eraseInDatabase, (epoch) => end(eraseObject(epoch))))
  return { forgotten: true }
})
