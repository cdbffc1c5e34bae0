import { Effect } from "effect"
import { Core } from "../Core.ts"
import { forEachPerson, latest, type PersonInMove, toStepResults } from "../person/PersonInMove.ts"
import { toStepFailed } from "../person/reason.ts"
import { giveBackHeld } from "./giveBack.ts"

/** `dual_write` to `off`: the object discards its copies. Grants that it still holds go back to D1 first. */
export const discard = Effect.fn("discard")(function* (people: ReadonlyArray<PersonInMove>) {
  const core = yield* Core
  const { given, freed } = yield* giveBackHeld(people)
  const discarded = yield* forEachPerson(freed, ({ userId, lease }) =>
    Effect.mapError(core.discardCopies({ userId, lease }), toStepFailed),
  )
  return toStepResults(people, latest<unknown>(given, discarded), () => ({ isVerified: false, durableObjectId: null }))
})
