import { Effect } from "effect"
import { Core } from "../Core.ts"
import { forEachPerson, latest, type PersonInMove, succeeded, toStepResults } from "../person/PersonInMove.ts"
import { toStepFailed } from "../person/reason.ts"
import { giveBack } from "./giveBack.ts"

/** `dual_write` to `off`: the object discards its copies. Grants that it still holds go back to D1 first. */
export const discard = Effect.fn("discard")(function* (people: ReadonlyArray<PersonInMove>) {
  const core = yield* Core
  const holding = people.filter(({ accounts }) => accounts.some(({ holder }) => holder === "object"))
  const given = holding.length === 0 ? new Map() : yield* giveBack(holding)
  const back = new Set(succeeded(holding, given))
  const toDiscard = people.filter((person) => !holding.includes(person) || back.has(person))
  const discarded = yield* forEachPerson(toDiscard, ({ userId }) =>
    Effect.mapError(core.discardCopies({ userId }), toStepFailed),
  )
  return toStepResults(people, latest<unknown>(given, discarded), () => ({ isVerified: false, durableObjectId: null }))
})
