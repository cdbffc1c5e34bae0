import { Effect } from "effect"
import { people as count } from "../moment.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"

/** `pollen migrate lift`: what a rollback held back may go on. */
export const lift = Effect.fn("lift")(function* (options: PeopleOptions) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const people = yield* readPeople(options)
  const answer = yield* ask(({ runs }) => runs.lift({ payload: people === undefined ? {} : { people } }))
  yield* outcome.tell(
    answer,
    `${count(answer.lifted)} may go on: from here on the flags alone say where they should be.`,
  )
})
