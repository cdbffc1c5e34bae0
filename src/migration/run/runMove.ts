import { Effect, Ref } from "effect"
import type { RunState } from "../api/runs.ts"
import { addFailures, dryPage } from "../page/dryPage.ts"
import { type Page, type PageResult, takePage } from "../page/takePage.ts"
import { newPageSettings, PageSettings } from "../person/PageSettings.ts"
import { decodeParameters, encodeParameters, type StartedRun } from "../runs/parameters.ts"
import type { StoredProgress } from "../runs/progress.ts"
import { Runs } from "../runs/Runs.ts"
import { pageSizeWithin } from "./callBudget.ts"
import { type Checkpoint, Steps } from "./Steps.ts"
import { countOn, emptySurvey, findDuplicates, totalsOf } from "./survey.ts"

const start: Checkpoint = { pass: 1, page: 1, cursor: "", happened: 0, dueAt: null }

const unfinished: ReadonlyArray<RunState> = ["running", "paused"]

/** Counts the people who have a step to take, and records the count. */
const survey = Effect.fn("survey")(function* (run: StartedRun) {
  const steps = yield* Steps
  let counted = emptySurvey
  for (let part = 1; !counted.isEnd; part++) {
    const before = counted
    counted = yield* steps.do(`count who has a step to take, part ${part}`, countOn(run, before))
  }
  const { routes } = counted
  yield* steps.do("show how many", noteProgress(run.id, { routes, ...totalsOf(counted) }))
})

const noteProgress = Effect.fn("noteProgress")(function* (id: string, change: Partial<StoredProgress>) {
  const runs = yield* Runs
  // A run that was paused meanwhile stays so.
  const { state } = yield* Effect.orDie(runs.find(id))
  return yield* runs.change(id, [state], state, change)
})

/** Beats of a page at the full pace, for whoever watches; from then on each takes as long as ten of them. */
const quickBeats = 30

/** Shows a sign of life until it is interrupted. One that D1 does not accept is skipped: the page itself fails where D1 stays away. */
const beat = Effect.fnUntraced(function* (runId: string, answers: Ref.Ref<number>, everyMs: number) {
  const runs = yield* Runs
  for (let beats = 1; ; beats++) {
    yield* Effect.sleep(beats <= quickBeats ? everyMs : everyMs * 10)
    yield* Effect.ignore(runs.heartbeat(runId, yield* Ref.get(answers)))
  }
})

/** Takes one page, of as many people as the instance has calls left for; `null` where another instance has to go on. */
const onePage = Effect.fnUntraced(function* (run: StartedRun, page: Page) {
  const { concurrency, dryRun } = run.parameters
  const { calls, heartbeatMs } = yield* Steps
  const pageSize = pageSizeWithin({ ...calls, left: yield* calls.left, pageSize: run.parameters.pageSize })
  if (pageSize === 0) return null
  const fitting: StartedRun = { ...run, parameters: { ...run.parameters, pageSize } }
  const answers = yield* Ref.make(0)
  const onAnswer = Ref.update(answers, (count) => count + 1)
  const settings = newPageSettings({ concurrency, onAnswer })
  const work = dryRun
    ? dryPage(fitting, page)
    : Effect.map(takePage(fitting, page), (result) => ({ result, failures: [] }))
  const working = Effect.provideService(work, PageSettings, settings)
  return heartbeatMs === null ? yield* working : yield* Effect.raceFirst(working, beat(run.id, answers, heartbeatMs))
})

/** When the next pass starts: at once (0), at a time in epoch milliseconds, or never (`null`). */
const nextPassAt = (
  { happened, dueAt }: Checkpoint,
  result: PageResult,
  { dryRun, patienceSeconds }: StartedRun["parameters"],
) => {
  if (dryRun || result.obstacle !== null) return null
  if (happened > 0) return 0
  return dueAt !== null && dueAt - result.at <= patienceSeconds * 1000 ? dueAt : null
}

const finish = Effect.fn("finish")(function* (id: string, change: Partial<StoredProgress>) {
  const runs = yield* Runs
  return yield* runs.change(id, unfinished, "finished", { waitingUntil: null, ...change })
})

const why = ({ obstacle }: PageResult): string | null =>
  obstacle === "halted" ? "the kill switch is set, so no step is taken" : null

/**
 * Runs the migrator: passes over everybody, page by page, until the only people with a step to take are those whose last attempt failed
 * and whose next one is not due soon. `checkpoint`: the point at which the instance before stopped.
 */
export const runMove = Effect.fn("runMove")(function* (runId: string, checkpoint: Checkpoint | null) {
  const steps = yield* Steps
  const runs = yield* Runs
  // The platform keeps the result of a step as it keeps the row: a run goes on with it after a deployment that changes the code's names.
  const stored = yield* steps.do(
    "read what was asked",
    Effect.map(Effect.orDie(runs.find(runId)), (row) => encodeParameters(row.parameters)),
  )
  const parameters = yield* Effect.orDie(decodeParameters(stored))
  const run: StartedRun = { id: runId, parameters }
  if (checkpoint === null) yield* survey(run)
  if (parameters.kind === "move") yield* steps.do("look for grants that two people have", findDuplicates(runId))
  let failures: StoredProgress["failures"] = []
  let at = checkpoint ?? start
  for (let taken = 0; ; taken++) {
    if (taken >= steps.atMost) return yield* steps.goOn(at)
    const { pass, page, cursor } = at
    const next: Page = { pass, cursor, isImpatient: parameters.people !== null && pass === 1 }
    const work = Effect.provideService(onePage(run, next), Steps, steps)
    const done = yield* steps.do(`pass ${pass}, page ${page}`, work)
    if (done === null) return yield* steps.goOn(at)
    const { result, failures: found } = done
    failures = addFailures(failures, found)
    if (result.obstacle === "stopped") return
    const dueAt = [at.dueAt, result.dueAt].filter((due) => due !== null)
    at = {
      ...at,
      page: page + 1,
      cursor: result.cursor,
      happened: at.happened + result.taken + result.failed + result.overtaken,
      dueAt: dueAt.length === 0 ? null : Math.min(...dueAt),
    }
    if (!result.isEnd) continue
    const nextAt = nextPassAt(at, result, parameters)
    if (nextAt === null) {
      yield* steps.do("finish", finish(runId, { reason: why(result), failures }))
      return
    }
    if (nextAt > 0) {
      yield* steps.do(`wait after pass ${pass}`, noteProgress(runId, { waitingUntil: nextAt }))
      yield* steps.sleep(`until pass ${pass + 1} is due`, Math.max(1, nextAt - result.at))
      yield* steps.do(`pass ${pass + 1} begins`, noteProgress(runId, { waitingUntil: null }))
    }
    at = { ...start, pass: pass + 1 }
  }
})
