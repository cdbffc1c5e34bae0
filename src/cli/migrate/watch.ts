import { Clock, Effect, Ref } from "effect"
import type { Run } from "../../migration/api/runs.ts"
import { Display } from "../Display.ts"
import { Failed, Unfinished, type Unreachable, watched } from "../exit.ts"
import { formatDuration, people } from "../format.ts"
import { Outcome } from "../operate/Outcome.ts"
import { typed } from "../typed.ts"
import { renderRun, toPhase } from "./progress.ts"
import { readRun } from "./runs.ts"

const lookEvery = "1 second"
const retryEvery = "5 seconds"
/** Milliseconds for which a worker may be away, as it is while it is deployed, before the watching ends. */
const patienceMs = 60_000

/** Waits out a worker that does not answer for a while; what it refuses is no matter of waiting. */
const lookPatiently = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const since = yield* Clock.currentTimeMillis
  const wait = (error: Unreachable) =>
    Effect.gen(function* () {
      const away = (yield* Clock.currentTimeMillis) - since
      if (away > patienceMs) return yield* new Failed({ message: error.message })
      yield* display.line(`No answer for ${formatDuration(away)}; the run goes on without being watched.`)
      yield* Effect.sleep(retryEvery)
    })
  return yield* Effect.retry(Effect.tapErrorTag(readRun(id), "Unreachable", wait), {
    while: ({ _tag }) => _tag === "Unreachable",
  })
})

/** Shows a run until it is over, or paused, and gives it as it is then. Ctrl-C ends the watching alone. */
const follow = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const outcome = yield* Outcome
  yield* watched
  // Not patiently: a worker that has not answered once is perhaps none.
  const last = yield* Ref.make<Run>(yield* readRun(id))
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
    if (outcome.isJson) yield* outcome.tell(run, words)
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
      if (run.progress.reason !== null) {
        return new Unfinished({ message: `The run ended early: ${run.progress.reason}.` })
      }
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
