import { Effect } from "effect"
import { people as count } from "../format.ts"
import { requireKnown } from "../operate/known.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"

/** `pollen migrate clear-ceiling`: releases people whom a rollback holds back. */
export const clearCeiling = Effect.fn("clearCeiling")(function* (
  options: PeopleOptions & { readonly dryRun: boolean },
) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const people = yield* readPeople(options)
  yield* requireKnown(people)
  const isDry = options.dryRun
  const { lifted } = yield* ask(({ runs }) =>
    runs.clearCeilings({ payload: { isDry, ...(people === undefined ? { everybody: true } : { people }) } }),
  )
  const words = isDry
    ? `${count(lifted)} would be released.`
    : `${count(lifted)} released: from now on the flags alone set their target.`
  yield* outcome.tell({ isDry, lifted }, words)
})
