import { Effect, Option } from "effect"
import { Argument } from "effect/cli"
import type { RunState } from "../../migration/api/runs.ts"
import { type CommandError, Refused } from "../exit.ts"
import { askAboutOne } from "../operate/known.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { quoted } from "../typed.ts"

/** The run that a command concerns, unless it is the newest one that fits. */
export const runArgument = Argument.String("run").pipe(
  Argument.withDescription("The id of a run (default: the newest one that fits)"),
  Argument.optional,
  Argument.map(Option.getOrUndefined),
)

/** All runs, newest first. */
export const readRuns = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const { runs } = yield* ask((client) => client.runs.listRuns({}))
  return runs.toSorted((one, other) => other.startedAt - one.startedAt)
})

/** Asks about one run. Fails with `Missing` for an unknown id. */
export const askAboutRun = <A>(id: string, question: Effect.Effect<A, CommandError, MigrationWorker>) =>
  askAboutOne(question, `There is no run ${id}; ${quoted("migrate runs")} lists all runs.`)

/** A run as it is now. Fails with `Missing` for an unknown id. */
export const readRun = Effect.fnUntraced(function* (id: string) {
  const { ask } = yield* MigrationWorker
  return yield* askAboutRun(
    id,
    ask(({ runs }) => runs.getRun({ params: { id }, headers: {} })),
  )
})

/** The id of the newest run in one of these states, or of the newest at all. */
export const findRun = Effect.fnUntraced(function* (states: ReadonlyArray<typeof RunState.Type>) {
  const newest = (yield* readRuns).find(({ state }) => states.length === 0 || states.includes(state))
  if (newest !== undefined) return newest.id
  return yield* new Refused({
    message:
      states.length === 0
        ? `No run yet; ${quoted("migrate start")} starts one.`
        : `No run is ${states.join(" or ")}; ${quoted("migrate runs")} lists all runs.`,
  })
})

/**
 * The run that moves people now, if any. A run whose process was killed, as happens on one machine, is recovered; a paused one is
 * refused, since somebody decided to pause it.
 */
export const recoverUnderWay = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const run = (yield* readRuns).find(({ isDry, state }) => !isDry && (state === "running" || state === "paused"))
  if (run?.state === "paused") {
    return yield* new Refused({
      message: `Run ${run.id} is paused: ${quoted("migrate resume")} continues it, ${quoted("migrate cancel")} ends it.`,
    })
  }
  if (run !== undefined) yield* ask((client) => client.runs.recoverRuns({}))
  return run?.id
})
