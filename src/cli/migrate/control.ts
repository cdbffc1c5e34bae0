import { Effect } from "effect"
import type { Run, RunState } from "../../migration/api/runs.ts"
import type { CommandError } from "../exit.ts"
import { formatTime } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { renderTable } from "../table.ts"
import { typed } from "../typed.ts"
import { renderRun } from "./progress.ts"
import { findRun, readRun, readRuns } from "./runs.ts"
import { watchOrLeave } from "./start.ts"

interface Control {
  readonly states: ReadonlyArray<typeof RunState.Type>
  readonly endpoint: "pauseRun" | "resumeRun" | "cancelRun"
  /** What has been done to the run, in a sentence. */
  readonly words: (id: string) => string
}

const pause: Control = {
  states: ["running"],
  endpoint: "pauseRun",
  words: (id) => `Run ${id} pauses when the page it is at is done; ${typed("migrate resume")} takes it on.`,
}

const cancel: Control = {
  states: ["running", "paused"],
  endpoint: "cancelRun",
  words: (id) =>
    `Run ${id} is cancelled. Everybody is where they got to; ${typed("migrate start")} goes on from there.`,
}

/** Which run it would be. */
const tellOnly = Effect.fnUntraced(function* (id: string) {
  const outcome = yield* Outcome
  const run = yield* readRun(id)
  yield* outcome.tell(run, `It would be this one.\n\n${renderRun(run)}`)
})

const control = ({ states, endpoint, words }: Control) =>
  Effect.fnUntraced(function* (given: string | undefined, isDry: boolean) {
    const { ask } = yield* MigrationWorker
    const outcome = yield* Outcome
    const id = given ?? (yield* findRun(states))
    const params = { id }
    if (isDry) return yield* tellOnly(id)
    const run: Run = yield* ask(({ runs }) => runs[endpoint]({ params }))
    yield* outcome.tell(run, words(id))
  })

export const pauseRun = control(pause)
export const cancelRun = control(cancel)

/** Takes on a run that was paused, or one whose process was killed. */
export const resumeRun = Effect.fn("resumeRun")(function* (options: {
  readonly run: string | undefined
  readonly watch: boolean
  readonly dryRun: boolean
}) {
  const { ask } = yield* MigrationWorker
  const id = options.run ?? (yield* findRun(["paused", "running"]))
  if (options.dryRun) return yield* tellOnly(id)
  const params = { id }
  const { state } = yield* readRun(id)
  if (state === "running") yield* ask(({ runs }) => runs.recoverRuns({}))
  else yield* ask(({ runs }) => runs.resumeRun({ params }))
  yield* watchOrLeave(id, options.watch)
})

/** The runs there have been, the newest first. */
export const listRuns: Effect.Effect<void, CommandError, MigrationWorker | Outcome> = Effect.gen(function* () {
  const outcome = yield* Outcome
  const runs = yield* readRuns
  const rows = runs.map((run) => [
    run.id,
    `${run.kind}${run.isDry ? ", dry" : ""}`,
    run.state,
    formatTime(run.startedAt),
    run.progress.people,
    run.progress.arrived,
    run.progress.failures.reduce((sum, { people }) => sum + people, 0),
  ])
  const words =
    rows.length === 0
      ? `There has been no run yet; ${typed("migrate start")} begins one.`
      : renderTable(rows, ["run", "kind", "state", "begun", "people", "there", "failed"])
  yield* outcome.tell({ runs }, words)
})
