import { Effect } from "effect"
import type { StartMove } from "../../migration/api/runs.ts"
import { Display } from "../Display.ts"
import { requireKnown } from "../operate/known.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { isGiven, whole } from "../operate/options.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"
import { quoted } from "../typed.ts"
import { renderPlan } from "./progress.ts"
import { readRun, recoverUnderWay } from "./runs.ts"
import { watchRun } from "./watch.ts"

/** Options for the pace of a run. */
export const paceOptions = {
  pageSize: whole("page-size", 1, 1000, "People in one page of the run (default: 500)"),
  concurrency: whole("concurrency", 1, 100, "Objects asked at the same time (default: 20)"),
  patience: whole(
    "patience",
    0,
    86_400,
    "Seconds that the run waits, when only failed people are left, to retry them (default: 300)",
  ),
}

export interface PaceOptions {
  readonly pageSize: number | undefined
  readonly concurrency: number | undefined
  readonly patience: number | undefined
}

export const watchOption = isGiven("watch", "Stay and show progress; Ctrl-C ends the watching, not the run")

/** The settings for the worker, without those that were not given. */
export const toSettings = ({ pageSize, concurrency, patience }: PaceOptions) => ({
  ...(pageSize === undefined ? {} : { pageSize }),
  ...(concurrency === undefined ? {} : { concurrency }),
  ...(patience === undefined ? {} : { patienceSeconds: patience }),
})

/** Says that a run has started, or watches it to its end. */
export const watchOrLeave = Effect.fnUntraced(function* (id: string, { watch }: { readonly watch: boolean }) {
  if (watch) return yield* watchRun(id)
  const outcome = yield* Outcome
  const run = yield* readRun(id)
  yield* outcome.tell(run, `Run ${id} has started; ${quoted("migrate watch")} shows its progress.`)
})

/** `pollen migrate start` */
export const startMove = Effect.fn("startMove")(function* (
  options: PaceOptions & PeopleOptions & { readonly dryRun: boolean; readonly watch: boolean },
) {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  const people = yield* readPeople(options)
  yield* requireKnown(people)
  const settings: StartMove = { ...toSettings(options), ...(people === undefined ? { everybody: true } : { people }) }
  if (options.dryRun) return yield* planMove(settings)
  const running = people === undefined ? yield* recoverUnderWay : undefined
  if (running !== undefined) {
    yield* display.line(
      `Run ${running} is under way, and continues in case its worker was stopped; no other run was started.`,
    )
    return yield* watchOrLeave(running, options)
  }
  const run = yield* ask((client) => client.runs.startMove({ payload: settings }))
  yield* watchOrLeave(run.id, options)
})

/** `pollen migrate plan`: a dry run, to its end. */
const planMove = Effect.fn("planMove")(function* (settings: StartMove) {
  const { ask } = yield* MigrationWorker
  const run = yield* ask((client) => client.runs.startMove({ payload: { ...settings, isDry: true } }))
  yield* watchRun(run.id, renderPlan)
})
