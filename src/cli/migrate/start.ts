import { Effect } from "effect"
import type { StartMove } from "../../migration/api/runs.ts"
import { Display } from "../Display.ts"
import { requireKnown } from "../operate/known.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { isGiven, whole } from "../operate/options.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"
import { typed } from "../typed.ts"
import { renderPlan } from "./progress.ts"
import { readRun, recoverUnderWay } from "./runs.ts"
import { watchRun } from "./watch.ts"

/** How a run goes about its work. */
export const paceOptions = {
  pageSize: whole("page-size", 1, 1000, "People that one step of the run takes (500 unless told)"),
  concurrency: whole("concurrency", 1, 100, "Objects asked at once (20 unless told)"),
  patience: whole(
    "patience",
    0,
    86_400,
    "Seconds for which the run waits, when only failed people are left, until they are tried again (300 unless told)",
  ),
}

export interface PaceOptions {
  readonly pageSize: number | undefined
  readonly concurrency: number | undefined
  readonly patience: number | undefined
}

export const watchOption = isGiven("watch", "Stay and show how far it is; Ctrl-C leaves it going")

/** What the worker is asked, without what was not given. */
export const toSettings = ({ pageSize, concurrency, patience }: PaceOptions) => ({
  ...(pageSize === undefined ? {} : { pageSize }),
  ...(concurrency === undefined ? {} : { concurrency }),
  ...(patience === undefined ? {} : { patienceSeconds: patience }),
})

/** Tells of a run that has begun, or stays with it. */
export const watchOrLeave = Effect.fnUntraced(function* (id: string, isWatched: boolean) {
  if (isWatched) return yield* watchRun(id)
  const outcome = yield* Outcome
  const run = yield* readRun(id)
  yield* outcome.tell(run, `Run ${id} has begun; ${typed("migrate watch")} shows how far it is.`)
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
      `Run ${running} is under way, and was taken on in case its worker had been stopped; no other was begun.`,
    )
    return yield* watchOrLeave(running, options.watch)
  }
  const run = yield* ask((client) => client.runs.startMove({ payload: settings }))
  yield* watchOrLeave(run.id, options.watch)
})

/** `pollen migrate plan`: a dry run, to its end. */
const planMove = Effect.fn("planMove")(function* (settings: StartMove) {
  const { ask } = yield* MigrationWorker
  const run = yield* ask((client) => client.runs.startMove({ payload: { ...settings, isDry: true } }))
  yield* watchRun(run.id, renderPlan)
})
