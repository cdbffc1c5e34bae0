import { Effect, Option } from "effect"
import { Argument } from "effect/cli"
import type { RunState } from "../../migration/api/runs.ts"
import { Missing, Refused } from "../exit.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { typed } from "../typed.ts"

/** Which run a command concerns, where it is not the newest one that fits. */
export const runArgument = Argument.String("run").pipe(
  Argument.withDescription("The id of a run; the newest that fits unless given"),
  Argument.optional,
  Argument.map(Option.getOrUndefined),
)

/** The runs there have been, the newest first. */
export const readRuns = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const { runs } = yield* ask((client) => client.runs.listRuns({}))
  return runs.toSorted((one, other) => other.startedAt - one.startedAt)
})

/** A run as it is now. */
export const readRun = Effect.fnUntraced(function* (id: string) {
  const { ask } = yield* MigrationWorker
  return yield* Effect.catchTag(
    ask(({ runs }) => runs.getRun({ params: { id }, headers: {} })),
    "Missing",
    () => new Missing({ message: `There is no run ${id}; ${typed("migrate runs")} lists them.` }),
  )
})

/** The id of the newest run in one of these states, or of the newest at all. */
export const findRun = Effect.fnUntraced(function* (states: ReadonlyArray<typeof RunState.Type>) {
  const newest = (yield* readRuns).find(({ state }) => states.length === 0 || states.includes(state))
  if (newest !== undefined) return newest.id
  return yield* new Refused({
    message:
      states.length === 0
        ? `There has been no run yet; ${typed("migrate start")} begins one.`
        : `No run is ${states.join(" or ")}; ${typed("migrate runs")} lists them.`,
  })
})

/**
 * The run that moves people now, if there is one. One whose process was killed, as happens on one machine, is taken on; one that is
 * paused is somebody's decision, and waits for another.
 */
export const recoverUnderWay = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const run = (yield* readRuns).find(({ isDry, state }) => !isDry && (state === "running" || state === "paused"))
  if (run?.state === "paused") {
    return yield* new Refused({
      message: `Run ${run.id} is paused: ${typed("migrate resume")} takes it on, ${typed("migrate cancel")} ends it.`,
    })
  }
  if (run !== undefined) yield* ask((client) => client.runs.recoverRuns({}))
  return run?.id
})
