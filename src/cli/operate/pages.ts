import { Effect } from "effect"
import { UserId } from "../../domain/user.ts"
import { Display } from "../Display.ts"
import type { CommandError } from "../exit.ts"
import { MigrationWorker } from "./MigrationWorker.ts"

/** People in one request: the most that the worker accepts. */
const atOnce = 500

/** The people of a request: these, or the next page of everybody. */
export type Page = { readonly people: ReadonlyArray<UserId> } | { readonly limit: number; readonly cursor?: UserId }

interface PageEnd {
  readonly next: string | null
}

const chunk = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  Array.from({ length: Math.ceil(all.length / atOnce) }, (_, index) => all.slice(index * atOnce, (index + 1) * atOnce))

const countEverybody = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const { stages, bornInObjects } = yield* ask(({ flags }) => flags.countStages({}))
  return stages.reduce((sum, { people }) => sum + people, 0) + bornInObjects
})

/** Asks about these people, or everybody where nobody is named, page by page, and shows its progress. */
export const forEachPage = Effect.fnUntraced(function* <A extends PageEnd>(options: {
  readonly name: string
  readonly people: ReadonlyArray<UserId> | undefined
  readonly ask: (page: Page) => Effect.Effect<A, CommandError>
  /** Counts the people of an answer. */
  readonly count: (answer: A) => number
}) {
  const { name, people, ask, count } = options
  const display = yield* Display
  const total = people?.length ?? (yield* countEverybody)
  const answers: Array<A> = []
  const take = Effect.fnUntraced(function* (page: Page) {
    const answer = yield* ask(page)
    answers.push(answer)
    const done = answers.reduce((sum, each) => sum + count(each), 0)
    yield* display.progress({ name, done, total: Math.max(done, total) })
    return answer
  })
  if (people !== undefined) {
    yield* Effect.forEach(chunk(people), (part) => take({ people: part }), { discard: true })
    return answers
  }
  let cursor: UserId | undefined
  do {
    const { next }: A = yield* take({ limit: atOnce, ...(cursor === undefined ? {} : { cursor }) })
    cursor = next === null ? undefined : UserId.make(next)
  } while (cursor !== undefined)
  return answers
})
