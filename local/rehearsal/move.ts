import { Clock, Effect, Random, Schedule } from "effect"
import { Display } from "../../src/cli/Display.ts"
import { toPhase } from "../../src/cli/migrate/progress.ts"
import { MigrationWorker } from "../../src/cli/operate/MigrationWorker.ts"
import type { MovedStage, Stage } from "../../src/domain/stage.ts"
import type { UserId } from "../../src/domain/user.ts"
import type { Run, StartMove } from "../../src/migration/api/runs.ts"
import { PromiseBroken } from "../error.ts"
import { armFaults, quietTokenEndpoints } from "./faults.ts"
import type { Person } from "./people.ts"
import { Workers } from "./Workers.ts"

const lookEvery = "100 millis"
/** How long a silent worker is asked again: longer than the runtime takes to come back. */
const patience = Schedule.spaced("250 millis").pipe(Schedule.upTo({ times: 40 }))

/** Shows a run until `until` says enough. A worker that is silent for a moment is asked again. */
const watch = Effect.fnUntraced(function* (name: string, id: string, until: (run: Run) => boolean) {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  const look = ask(({ runs }) => runs.getRun({ params: { id }, headers: {} })).pipe(
    Effect.retry(patience),
    Effect.tap((run) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => display.progress({ ...toPhase(run, now), name })),
    ),
  )
  const isEnough = (run: Run) => run.state !== "running" || until(run)
  return yield* look.pipe(Effect.repeat({ until: isEnough, schedule: Schedule.spaced(lookEvery) }))
})

/** Shows a run to its end and fails unless it finished. Returns how long it took, in milliseconds. */
const finish = Effect.fnUntraced(function* (name: string, id: string) {
  const run = yield* watch(name, id, () => false)
  if (run.state === "finished") return run.updatedAt - run.startedAt
  const why = run.progress.reason ?? run.progress.failures.map(({ reason }) => reason).join(", ")
  return yield* new PromiseBroken({
    message: `A run of the migrator ended as ${run.state}: ${why || "nothing says why"}.`,
  })
})

const begin = Effect.fnUntraced(function* (settings: Pick<StartMove, "pageSize"> = {}) {
  const { ask } = yield* MigrationWorker
  return yield* ask(({ runs }) => runs.startMove({ payload: { ...settings, everybody: true } }))
})

/** People who should be at a stage from now on, besides those who should already. */
export interface Share {
  readonly stage: MovedStage
  readonly percentage?: number
  readonly people?: ReadonlyArray<UserId>
}

const declare = Effect.fnUntraced(function* ({ stage, percentage, people }: Share) {
  const { ask } = yield* MigrationWorker
  yield* ask(({ flags }) =>
    flags.changeStage({
      params: { stage },
      payload: {
        isEnabled: true,
        ...(percentage === undefined ? {} : { percentage }),
        ...(people === undefined ? {} : { allowList: { add: people } }),
      },
    }),
  )
})

/** Declares a share and has the migrator take everybody there. Returns how long it took, in milliseconds. */
export const advance = Effect.fn("advance")(function* (name: string, share: Share) {
  yield* declare(share)
  const { id } = yield* begin()
  return yield* finish(name, id)
})

/**
 * Does the same while every worker is killed in the middle, the migrator with them, and resumes the run as an operator does.
 * The pages are small enough for the run to have a middle.
 */
export const advanceThroughKill = Effect.fn("advanceThroughKill")(function* (
  name: string,
  share: Share,
  { pageSize, faultPercent }: { readonly pageSize: number; readonly faultPercent: number },
) {
  const display = yield* Display
  const { killAndRestart } = yield* Workers
  const { ask } = yield* MigrationWorker
  yield* declare(share)
  yield* quietTokenEndpoints(faultPercent)
  const { id } = yield* begin({ pageSize })
  const { progress } = yield* watch(name, id, ({ progress: { taken, steps } }) => taken > 0 && taken >= steps / 3)
  yield* display.line(`Every worker is killed after ${progress.taken} of ${progress.steps} steps of the migrator.`)
  const startedAt = yield* Clock.currentTimeMillis
  yield* killAndRestart
  yield* armFaults(faultPercent)
  const { runs } = yield* Effect.retry(
    ask((client) => client.runs.recoverRuns({})),
    patience,
  )
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  if (!runs.some((run) => run.id === id)) {
    return yield* new PromiseBroken({
      message: "The run was over before the migrator could be killed in the middle of it.",
    })
  }
  yield* display.line(`The workers are up again after ${seconds.toFixed(1)} s, and the run is resumed.`)
  return yield* finish(name, id)
})

/** Rolls a tenth of everybody back to a stage. Returns who they were. */
export const rollBack = Effect.fn("rollBack")(function* (name: string, everybody: ReadonlyArray<Person>, to: Stage) {
  const { ask } = yield* MigrationWorker
  const people = (yield* Random.shuffle(everybody.map(({ id }) => id))).slice(0, Math.ceil(everybody.length / 10))
  const { id } = yield* ask(({ runs }) => runs.startRollback({ payload: { to, people } }))
  yield* finish(name, id)
  return people
})

/** Moves people again who were rolled back. */
export const moveAgain = Effect.fn("moveAgain")(function* (name: string, people: ReadonlyArray<UserId>) {
  const { ask } = yield* MigrationWorker
  yield* ask(({ runs }) => runs.clearCeilings({ payload: { people } }))
  const { id } = yield* begin()
  yield* finish(name, id)
})
