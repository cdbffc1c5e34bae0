import { Effect } from "effect"
import type { UserId } from "../../domain/user.ts"
import { Missing } from "../exit.ts"
import { MigrationWorker } from "./MigrationWorker.ts"

/** People who are looked up one by one before something is done with them: as many as somebody types. */
const lookedUpAtMost = 20

/** One person as the worker knows them, or a sentence that says that it does not. */
export const readPerson = Effect.fnUntraced(function* (userId: UserId) {
  const { ask } = yield* MigrationWorker
  return yield* Effect.catchTag(
    ask(({ people }) => people.getPerson({ params: { userId } })),
    "Missing",
    () => new Missing({ message: `Nobody called ${userId} has an account here.` }),
  )
})

/** Fails for an id that was mistyped: a run would find nothing to do for it, and end well. */
export const requireKnown = Effect.fnUntraced(function* (people: ReadonlyArray<UserId> | undefined) {
  if (people === undefined || people.length > lookedUpAtMost) return
  yield* Effect.forEach(people, readPerson, { concurrency: 4, discard: true })
})
