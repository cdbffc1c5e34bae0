import { Effect, Ref } from "effect"
import type { RunState } from "../api/runs.ts"
import { addFailures, dryPage } from "../page/dryPage.ts"
import { isCarryingRun, type RunInHand } from "../page/look.ts"
import { type PageOf, type PageResult, takePage } from "../page/takePage.ts"
import { PageSettings } from "../person/PageSettings.ts"
import type { StoredProgress } from "../runs/progress.ts"
import { Runs } from "../runs/Runs.ts"
import { type Checkpoint, Steps } from "./Steps.ts"
import { countOn, emptySurvey, findDuplicates, totalsOf } from "./survey.ts"

/** How long a hand-over waits for refreshes under way, in milliseconds: a provider's answer is waited for 10 s at most. */
const claimWaitMs = 15_000

const start: Checkpoint = { pass: 1, page: 1, cursor: "", happened: 0, dueAt: null }

const unfinished: ReadonlyArray<RunState> = ["running", "paused"]

/** Counts who has a step to take, and shows it. */
const survey = Effect.fn("survey")(function* (run: RunInHand) {
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

/** One page, with a lease of its own: an attempt that was believed dead and is not has another. */
const onePage = Effect.fnUntraced(function* (run: RunInHand, page: PageOf, beatMs: number | null) {
  const { concurrency, isDry } = run.parameters
  const runs = yield* Runs
  const answers = yield* Ref.make(0)
  const onAnswer = Ref.update(answers, (count) => count + 1)
  const settings = { lease: crypto.randomUUID(), concurrency, claimWaitMs, onAnswer }
  const work = isDry ? dryPage(run, page) : Effect.map(takePage(run, page), (result) => ({ result, failures: [] }))
  const inHand = Effect.provideService(work, PageSettings, settings)
  if (beatMs === null) return yield* inHand
  // A beat that D1 does not take is left out: the page itself will hear of it.
  const beat = Effect.flatMap(Ref.get(answers), (count) => Effect.ignore(runs.beat(run.id, count)))
  return yield* Effect.raceFirst(inHand, Effect.forever(Effect.delay(beat, beatMs)))
})

/** When to go on after a pass: at once, at a time, or not at all (`null`). */
const nextPassAt = (
  { happened, dueAt }: Checkpoint,
  result: PageResult,
  { isDry, patienceSeconds }: RunInHand["parameters"],
) => {
  if (isDry || result.obstacle !== null) return null
  if (happened > 0) return 0
  return dueAt !== null && dueAt - result.at <= patienceSeconds * 1000 ? dueAt : null
}

const finish = Effect.fn("finish")(function* (id: string, change: Partial<StoredProgress>) {
  const runs = yield* Runs
  return yield* runs.change(id, unfinished, "finished", { waitingUntil: null, ...change })
})

const why = ({ obstacle }: PageResult): string | null =>
  obstacle === "halted" ? "the kill switch is set: nobody is taken a step" : null

/**
 * A run of the migrator: passes over everybody, page by page, until nobody has a step to take but those who have failed and are not due
 * soon. `mark`: where another instance has left off.
 */
export const runMove = Effect.fn("runMove")(function* (runId: string, checkpoint: Checkpoint | null) {
  const steps = yield* Steps
  const runs = yield* Runs
  const parameters = yield* steps.do(
    "read what was asked",
    Effect.map(Effect.orDie(runs.find(runId)), (row) => row.parameters),
  )
  const run: RunInHand = { id: runId, parameters }
  if (checkpoint === null) yield* survey(run)
  const duplicates = isCarryingRun(run) ? yield* steps.do("look for grants that two people have", findDuplicates()) : []
  let failures: StoredProgress["failures"] = []
  let at = checkpoint ?? start
  for (let taken = 0; ; taken++) {
    if (taken >= steps.atMost) return yield* steps.goOn(at)
    const { pass, page, cursor } = at
    const from: PageOf = { pass, cursor, duplicates, isImpatient: parameters.people !== null && pass === 1 }
    const { result, failures: found } = yield* steps.do(`pass ${pass}, page ${page}`, onePage(run, from, steps.beatMs))
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
    const next = nextPassAt(at, result, parameters)
    if (next === null) {
      yield* steps.do("finish", finish(runId, { reason: why(result), failures }))
      return
    }
    if (next > 0) {
      yield* steps.do(`wait after pass ${pass}`, noteProgress(runId, { waitingUntil: next }))
      yield* steps.sleep(`until pass ${pass + 1} is due`, Math.max(1, next - result.at))
      yield* steps.do(`pass ${pass + 1} begins`, noteProgress(runId, { waitingUntil: null }))
    }
    at = { ...start, pass: pass + 1 }
  }
})
