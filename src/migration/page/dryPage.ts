import { Clock, Effect, Result } from "effect"
import type { FailureCount } from "../api/runs.ts"
import { Database, statement } from "../Database.ts"
import { forEachPerson } from "../person/PersonInMove.ts"
import { StepFailed } from "../person/reason.ts"
import { look, type RunInHand } from "./look.ts"
import type { InHand } from "./record.ts"
import type { PageOf, PageResult } from "./takePage.ts"
import { sort } from "./takeSteps.ts"

/** User ids shown of each reason. */
const examplesAtMost = 10

const checkPeople = Effect.fn("checkPeople")(function* (
  people: ReadonlyArray<InHand>,
  duplicates: ReadonlySet<string>,
) {
  const { refused, peopleInMove } = yield* sort(people, duplicates)
  const toCheck = people.flatMap(({ userId, step: { transition } }) => {
    const personInMove = peopleInMove.get(userId)
    return personInMove === undefined ? [] : [{ ...personInMove, check: transition.check }]
  })
  const checked = yield* forEachPerson(toCheck, ({ check, ...personInMove }) => check(personInMove))
  const failures = [...checked].flatMap(([userId, outcome]) =>
    Result.isFailure(outcome) && outcome.failure instanceof StepFailed ? [[userId, outcome.failure] as const] : [],
  )
  return [...refused, ...failures]
})

const toCounts = (failures: ReadonlyArray<readonly [string, StepFailed]>): ReadonlyArray<FailureCount> =>
  [...Map.groupBy(failures, ([, { reason }]) => reason)].map(([reason, group]) => ({
    reason,
    people: group.length,
    examples: group.slice(0, examplesAtMost).map(([userId]) => userId),
  }))

/** Adds failures up, by reason. */
export const addFailures = (
  a: ReadonlyArray<FailureCount>,
  b: ReadonlyArray<FailureCount>,
): ReadonlyArray<FailureCount> =>
  [...Map.groupBy([...a, ...b], ({ reason }) => reason)].map(([reason, group]) => ({
    reason,
    people: group.reduce((sum, { people }) => sum + people, 0),
    examples: group.flatMap(({ examples }) => examples).slice(0, examplesAtMost),
  }))

const noteCursor = `UPDATE migration_runs SET updated_at = ?2, progress = json_set(progress, '$.pass', ?3, '$.cursor', ?4)
  WHERE id = ?1`

/** What `takePage` would do, without a write to a person's rows or object. Who would fail is told with the result. */
export const dryPage = Effect.fn("dryPage")(function* (run: RunInHand, page: PageOf) {
  const database = yield* Database
  const { toMove, cursor, isEnd, obstacle, dueAt, at } = yield* look(run, page)
  const failures = yield* checkPeople(toMove, new Set(page.duplicates))
  const now = yield* Clock.currentTimeMillis
  yield* database.rows("progress", statement(noteCursor, run.id, now, page.pass, cursor))
  const result: PageResult = {
    taken: toMove.length - failures.length,
    failed: failures.length,
    overtaken: 0,
    dueAt,
    cursor,
    isEnd,
    obstacle,
    at,
  }
  return { result, failures: toCounts(failures) }
})
