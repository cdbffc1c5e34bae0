import { Effect, Option } from "effect"
import { person } from "../../../schema/object.ts"
import { LeaseLost } from "../../domain/error.ts"
import { Store } from "../Store.ts"

/** Whether no later lease than this is known; notes it if it is the latest. To be called inside the transaction that writes. */
const isLatest = ({ db }: Pick<Store["Service"], "db">, lease: number): boolean => {
  const known = db.select({ lease: person.lease }).from(person).get()?.lease ?? 0
  if (lease > known) db.update(person).set({ lease }).run()
  return lease >= known
}

/**
 * Writes in one transaction what a page of the migrator asks for, unless a later page has the person in hand: an attempt that was
 * cancelled, or believed dead, changes nothing. `lease`: `undefined` for a call that comes from no page.
 */
export const underLease = Effect.fnUntraced(function* <A>(method: string, lease: number | undefined, write: () => A) {
  const store = yield* Store
  const written = yield* store.transaction(() =>
    lease === undefined || isLatest(store, lease) ? Option.some(write()) : Option.none(),
  )
  return Option.isSome(written) ? written.value : yield* new LeaseLost({ method })
})
