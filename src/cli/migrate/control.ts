import { Effect } from "effect"
import type { Run, RunState } from "../../migration/api/runs.ts"
import type { CommandError } from "../exit.ts"
import { formatTime } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { renderTable } from "../table.ts"
import { quoted } from "../typed.ts"
import { renderRun } from "./progress.ts"
import { askAboutRun, findRun, readRun, readRuns } from "./runs.ts"
import { watchOrLeave } from "./start.ts"

interface Control {
  readonly states: ReadonlyArray<typeof RunState.Type>
  readonly endpoint: "pauseRun" | "resumeRun" | "cancelRun"
  /** The sentence that says what was done to the run. */
  readonly words: (id: string) => string
}

const pause: Control = {
  states: ["running"],
  endpoint: "pauseRun",
  words: (id) => `Run ${id} pauses after its current page; ${quoted("migrate resume")} continues it.`,
}

const cancel: Control = {
  states: ["running", "paused"],
  endpoint: "cancelRun",
  words: (id) =>
    `Run ${id} is cancelled. Everybody stays where they are; ${quoted("migrate start")} goes on from there.`,
}

/** Shows the run that a command would concern. */
const showOnly = Effect.fnUntraced(function* (id: string) {
  const outcome = yield* Outcome
  const run = yield* readRun(id)
  yield* outcome.tell(run, `Would concern this run:\n\n${renderRun(run)}`)
})

const control = ({ states, endpoint, words }: Control) =>
  Effect.fnUntraced(function* (given: string | undefined, { dryRun }: { readonly dryRun: boolean }) {
    const { ask } = yield* MigrationWorker
    const outcome = yield* Outcome
    const id = given ?? (yield* findRun(states))
    const params = { id }
    if (dryRun) return yield* showOnly(id)
    const run: Run = yield* askAboutRun(
      id,
      ask(({ runs }) => runs[endpoint]({ params })),
    )
    yield* outcome.tell(run, words(id))
  })

export const pauseRun = control(pause)
export const cancelRun = control(cancel)

/** Continues a run that was paused, or one whose process was killed. */
export const resumeRun = Effect.fn("resumeRun")(function* (options: {
  readonly run: string | undefined
  readonly watch: boolean
  readonly dryRun: boolean
}) {
  const { ask } = yield* MigrationWorker
  const id = options.run ?? (yield* findRun(["paused", "running"]))
  if (options.dryRun) return yield* showOnly(id)
  const params = { id }
  const { state } = yield* readRun(id)
  if (state === "running") yield* ask(({ runs }) => runs.recoverRuns({}))
  else yield* ask(({ runs }) => runs.resumeRun({ params }))
  yield* watchOrLeave(id, options)
})

/** Lists all runs, newest first. */
export const listRuns: Effect.Effect<void, CommandError, MigrationWorker | Outcome> = Effect.gen(function* () {
  const outcome = yield* Outcome
  const runs = yield* readRuns
  const rows = runs.map((run) => [
    run.id,
    `${run.kind}${run.isDry ? ", dry run" : ""}`,
    run.state,
    formatTime(run.startedAt),
    run.progress.people,
    run.progress.arrived,
    run.progress.failures.reduce((sum, { people }) => sum + people, 0),
  ])
  const words =
    rows.length === 0
      ? `No run yet; ${quoted("migrate start")} starts one.`
      : renderTable(rows, ["run", "kind", "state", "started", "people", "arrived", "failed"])
  yield* outcome.tell({ runs }, words)
})
