import { Effect } from "effect"
import { forEachPerson, latest, type PersonInMove, toStepResults } from "../person/PersonInMove.ts"
import { giveBackHeld } from "./giveBack.ts"

/** `shadow` to `dual_write`: the object keeps its copy, and reads are no longer compared. Grants that it still holds go back to D1 first. */
export const keepCopy = Effect.fn("keepCopy")(function* (people: ReadonlyArray<PersonInMove>) {
  const { given, freed } = yield* giveBackHeld(people)
  const kept = yield* forEachPerson(freed, () => Effect.void)
  return toStepResults(people, latest<unknown>(given, kept), () => ({ isVerified: false }))
})
