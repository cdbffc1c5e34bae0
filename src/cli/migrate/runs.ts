import { Effect, Option } from "effect"
import { Argument } from "effect/cli"
import type { RunState } from "../../migration/api/runs.ts"
import { Refused } from "../exit.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { typed } from "../typed.ts"

/** Which run a command concerns, where it is not the newest one that fits. */
export const runArgument = Argument.String("run").pipe(
  Argument.withDescription("The id of a run; the newest unless given"),
  Argument.optional,
  Argument.map(Option.getOrUndefined),
)

/** The id of the newest run in one of these states, or of the newest at all. */
export const findRun = Effect.fnUntraced(function* (states: ReadonlyArray<typeof RunState.Type>) {
  const { ask } = yield* MigrationWorker
  const { runs } = yield* ask((client) => client.runs.listRuns({}))
  const fits = runs.filter(({ state }) => states.length === 0 || states.includes(state))
  const newest = fits.toSorted((one, other) => other.startedAt - one.startedAt)[0]
  if (newest !== undefined) return newest.id
  return yield* new Refused({
    message:
      states.length === 0
        ? `There has been no run yet; ${typed("migrate start")} begins one.`
        : `No run is ${states.join(" or ")}; ${typed("migrate runs")} lists them.`,
  })
})
