import { Clock, Effect, Ref } from "effect"
import type { Run } from "../../migration/api/runs.ts"
import { Display } from "../Display.ts"
import { Failed, Unfinished } from "../exit.ts"
import { people, renderDuration } from "../moment.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { typed } from "../typed.ts"
import { renderRun, toPhase } from "./progress.ts"

const lookEvery = "1 second"
/** Milliseconds for which a worker may be away, as it is while it is deployed, before the watching ends. */
const patienceMs = 60_000

/** Waits out a worker that does not answer for a while; what it refuses is no matter of waiting. */
const lookPatiently = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const { ask } = yield* MigrationWorker
  const since = yield* Clock.currentTimeMillis
  const look = ask(({ runs }) => runs.getRun({ params: { id }, headers: {} }))
  const waitOrFail = (error: Failed) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now - since > patienceMs
        ? Effect.fail(error)
        : Effect.andThen(
            display.line(`No answer for ${renderDuration(now - since)}; the run goes on without being watched.`),
            Effect.sleep("5 seconds"),
          ),
    )
  const patiently: typeof look = Effect.catchTag(look, "Failed", (error) =>
    Effect.andThen(
      waitOrFail(error),
      Effect.suspend(() => patiently),
    ),
  )
  return yield* patiently
})

/** Shows a run until it is over, or paused, and gives it as it is then. Ctrl-C ends the watching alone. */
const follow = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const outcome = yield* Outcome
  const last = yield* Ref.make<Run | null>(null)
  const look = Effect.gen(function* () {
    const run = yield* lookPatiently(id)
    yield* Ref.set(last, run)
    yield* display.progress(toPhase(run, yield* Clock.currentTimeMillis))
    return run
  })
  const letGo = Effect.gen(function* () {
    const run = yield* Ref.get(last)
    const words = `Run ${id} goes on; ${typed("migrate watch")} shows it again, ${typed("migrate pause")} stops it for a while.`
    yield* display.line(words)
    if (run !== null && outcome.isJson) yield* outcome.tell(run, words)
  })
  return yield* look.pipe(
    Effect.tap(({ state }) => (state === "running" ? Effect.sleep(lookEvery) : Effect.void)),
    Effect.repeat({ until: ({ state }) => state !== "running" }),
    Effect.onInterrupt(() => letGo),
  )
})

const failedPeople = ({ progress }: Run): number => progress.failures.reduce((sum, failure) => sum + failure.people, 0)

/** What a run that is over, or stands, is to a script. */
const judge = (run: Run) => {
  switch (run.state) {
    case "running":
      return Effect.void
    case "failed":
      return new Failed({ message: `The run failed: ${run.progress.reason ?? "nothing says why"}.` })
    case "paused":
      return new Unfinished({ message: `The run is paused; ${typed("migrate resume")} takes it on.` })
    case "cancelled":
      return new Unfinished({ message: `The run was cancelled; ${typed("migrate start")} goes on where it stopped.` })
    case "finished":
      return failedPeople(run) === 0
        ? Effect.void
        : new Unfinished({
            message: `${people(failedPeople(run))} could not be taken ${run.isDry ? "there, as things are" : "there"}; ${typed("user USER")} tells of each, and the next run tries again.`,
          })
  }
}

/** Follows a run to its end, tells how it ended, and ends as it did. */
export const watchRun = Effect.fn("watchRun")(function* (id: string, render: (run: Run) => string = renderRun) {
  const outcome = yield* Outcome
  const run = yield* follow(id)
  yield* outcome.tell(run, render(run))
  yield* judge(run)
})
