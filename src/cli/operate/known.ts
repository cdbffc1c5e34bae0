import { Effect } from "effect"
import type { UserId } from "../../domain/user.ts"
import { type CommandError, Missing } from "../exit.ts"
import { MigrationWorker } from "./MigrationWorker.ts"

/** People who are looked up one by one before something is done with them: as many as somebody types. */
const lookedUpAtMost = 20

/**
 * Asks about one thing by its id, and says `unknown` where the worker does not know it. A worker may answer an unknown id as it
 * answers a path that it does not have: whether it has others tells the two apart.
 */
export const askAboutOne = Effect.fnUntraced(function* <A>(
  question: Effect.Effect<A, CommandError, MigrationWorker>,
  unknown: string,
) {
  const { ask } = yield* MigrationWorker
  const missing = new Missing({ message: unknown })
  return yield* Effect.catchTags(question, {
    Missing: () => Effect.fail(missing),
    WrongUrl: () =>
      Effect.andThen(
        ask(({ flags }) => flags.countStages({})),
        Effect.fail(missing),
      ),
  })
})

/** One person as the worker knows them. Fails with `Missing` for an unknown id. */
export const readPerson = Effect.fnUntraced(function* (userId: UserId) {
  const { ask } = yield* MigrationWorker
  return yield* askAboutOne(
    ask(({ people }) => people.getPerson({ params: { userId } })),
    `There is no person ${userId}.`,
  )
})

/** Fails with `Missing` for an id that was mistyped: a run would find nothing to do for it, and end well. */
export const requireKnown = Effect.fnUntraced(function* (people: ReadonlyArray<UserId> | undefined) {
  if (people === undefined || people.length > lookedUpAtMost) return
  yield* Effect.forEach(people, readPerson, { concurrency: 4, discard: true })
})
