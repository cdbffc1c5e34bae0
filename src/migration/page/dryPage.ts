import { Clock, Effect, Result } from "effect"
import { newFingerprintKey } from "../../domain/fingerprint.ts"
import type { FailureCount } from "../api/runs.ts"
import { Core } from "../Core.ts"
import { Database, statement } from "../Database.ts"
import { forEachPerson, type PersonInMove } from "../person/PersonInMove.ts"
import { failed, type Overtaken, StepFailed, toStepFailed } from "../person/reason.ts"
import { checkHeld } from "../transitions/complete.ts"
import { compareCopies, grantsToCopy } from "../transitions/copy.ts"
import { look, type RunInHand } from "./look.ts"
import type { InHand } from "./record.ts"
import type { PageOf, PageResult } from "./takePage.ts"
import { sort } from "./takeSteps.ts"

/** User ids shown of each reason. */
const examplesAtMost = 10

type Check = (personInMove: PersonInMove) => Effect.Effect<unknown, StepFailed | Overtaken, Core>

/** Whether D1's rows can be carried. What the object keeps need not be the same yet: that is what the step is for. */
const checkRows: Check = ({ accounts }) => grantsToCopy(accounts)

const checkHandOver: Check = Effect.fnUntraced(function* ({ userId, accounts }) {
  const grants = yield* grantsToCopy(accounts)
  if (grants.length > 0) yield* compareCopies(userId, grants, { probe: true })
})

const checkSeals: Check = Effect.fnUntraced(function* ({ userId }) {
  const core = yield* Core
  const { accounts } = yield* Effect.mapError(
    core.fingerprintTokens({ userId, key: newFingerprintKey(), probe: false }),
    toStepFailed,
  )
  const broken = accounts.find(({ fingerprint }) => fingerprint === null)
  if (broken !== undefined) return yield* failed("seal_broken", broken.reason ?? broken.provider)
})

const checks: Readonly<Record<string, Check>> = {
  "off dual_write": checkRows,
  "dual_write shadow": checkRows,
  "shadow live": checkHandOver,
  "live shadow": checkSeals,
  "rampdown live": checkSeals,
  "rampdown complete": (personInMove) => checkHeld(personInMove, false),
  "complete rampdown": checkSeals,
}

const checkPeople = Effect.fn("checkPeople")(function* (
  people: ReadonlyArray<InHand>,
  duplicates: ReadonlySet<string>,
) {
  const { refused, peopleInMove } = yield* sort(people, duplicates)
  const steps = new Map(people.map(({ userId, step }) => [userId, step]))
  const checked = yield* forEachPerson([...peopleInMove.values()], (personInMove) => {
    const step = steps.get(personInMove.userId)
    return checks[`${step?.from} ${step?.to}`]?.(personInMove) ?? Effect.void
  })
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
