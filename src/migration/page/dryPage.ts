import { Clock, Effect, Result } from "effect"
import type { FailureCount } from "../api/runs.ts"
import { Database, statement } from "../Database.ts"
import { forEachPerson } from "../person/PersonInMove.ts"
import { StepFailed } from "../person/reason.ts"
import type { StartedRun } from "../runs/parameters.ts"
import type { PlannedStep } from "./PlannedStep.ts"
import { planPage } from "./planPage.ts"
import { readPeople } from "./readPeople.ts"
import type { Page, PageResult } from "./takePage.ts"

/** User ids shown for each reason. */
const examplesAtMost = 10

const checkPeople = Effect.fn("checkPeople")(function* (steps: ReadonlyArray<PlannedStep>, runId: string) {
  const { refused, peopleInMove } = yield* readPeople(steps, runId)
  const toCheck = steps.flatMap(({ userId, step: { transition } }) => {
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

/** Adds up the failures of two pages, by reason. */
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

/** Finds what `takePage` would do and who would fail. Writes to no person's rows and to no object. */
export const dryPage = Effect.fn("dryPage")(function* (run: StartedRun, page: Page) {
  const database = yield* Database
  const { steps, cursor, isEnd, obstacle, dueAt, at } = yield* planPage(run, page)
  const failures = yield* checkPeople(steps, run.id)
  const now = yield* Clock.currentTimeMillis
  yield* database.rows("progress", statement(noteCursor, run.id, now, page.pass, cursor))
  const result: PageResult = {
    taken: steps.length - failures.length,
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
