import { Clock, Effect, Ref } from "effect"
import type { Run } from "../../migration/api/runs.ts"
import { Display } from "../Display.ts"
import { Failed, Unfinished, type Unreachable, watched } from "../exit.ts"
import { formatCount, formatDuration, people } from "../format.ts"
import { Outcome } from "../operate/Outcome.ts"
import { quoted } from "../typed.ts"
import { renderRun, toPhase } from "./progress.ts"
import { readRun } from "./runs.ts"

const lookEvery = "1 second"
const retryEvery = "5 seconds"
/** Milliseconds without an answer, as during a deployment, after which the watching ends. */
const patienceMs = 60_000

/** Waits while the worker does not answer; a refusal is not waited for. */
const lookPatiently = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const since = yield* Clock.currentTimeMillis
  const wait = (error: Unreachable) =>
    Effect.gen(function* () {
      const away = (yield* Clock.currentTimeMillis) - since
      if (away > patienceMs) return yield* new Failed({ message: error.message })
      yield* display.line(`No answer for ${formatDuration(away)}; the run itself goes on.`)
      yield* Effect.sleep(retryEvery)
    })
  return yield* Effect.retry(Effect.tapErrorTag(readRun(id), "Unreachable", wait), {
    while: ({ _tag }) => _tag === "Unreachable",
  })
})

/** Shows a run until it is over or paused, and returns it. Ctrl-C ends the watching alone. */
const follow = Effect.fnUntraced(function* (id: string) {
  const display = yield* Display
  const outcome = yield* Outcome
  yield* watched
  // Without patience: a worker that has not answered once may not be there at all.
  const last = yield* Ref.make<Run>(yield* readRun(id))
  const look = Effect.gen(function* () {
    const run = yield* lookPatiently(id)
    yield* Ref.set(last, run)
    yield* display.progress(toPhase(run, yield* Clock.currentTimeMillis))
    return run
  })
  const leave = Effect.gen(function* () {
    const run = yield* Ref.get(last)
    const words = `Run ${id} goes on; ${quoted("migrate watch")} shows it again, ${quoted("migrate pause")} pauses it.`
    yield* display.line(words)
    if (outcome.isJson) yield* outcome.tell(run, words)
  })
  return yield* look.pipe(
    Effect.tap(({ state }) => (state === "running" ? Effect.sleep(lookEvery) : Effect.void)),
    Effect.repeat({ until: ({ state }) => state !== "running" }),
    Effect.onInterrupt(() => leave),
  )
})

const failedPeople = ({ progress }: Run): number => progress.failures.reduce((sum, failure) => sum + failure.people, 0)

/** Renders how many people failed and why; `user` has more only after a run that was not dry. */
const renderFailed = (run: Run): string => {
  const reasons = run.progress.failures.map(({ reason, people: count }) => `${formatCount(count)} ${reason}`).join(", ")
  return run.isDry
    ? `${people(failedPeople(run))} cannot be moved as things are: ${reasons}.`
    : `${people(failedPeople(run))} could not be moved: ${reasons}. ${quoted("user USER")} shows one of them; the next run tries again.`
}

/** Fails where a run that is over, or paused, has not taken everybody there. */
const judge = (run: Run) => {
  switch (run.state) {
    case "running":
      return Effect.void
    case "failed":
      return new Failed({ message: `The run failed: ${run.progress.reason ?? "no reason is recorded"}.` })
    case "paused":
      return new Unfinished({ message: `The run is paused; ${quoted("migrate resume")} continues it.` })
    case "cancelled":
      return new Unfinished({ message: `The run was cancelled; ${quoted("migrate start")} goes on where it stopped.` })
    case "finished":
      if (run.progress.reason !== null) {
        return new Unfinished({ message: `The run ended early: ${run.progress.reason}.` })
      }
      return failedPeople(run) === 0 ? Effect.void : new Unfinished({ message: renderFailed(run) })
  }
}

/** Follows a run to its end, shows how it ended, and fails where it did. */
export const watchRun = Effect.fn("watchRun")(function* (id: string, render: (run: Run) => string = renderRun) {
  const outcome = yield* Outcome
  const run = yield* follow(id)
  yield* outcome.tell(run, render(run))
  yield* judge(run)
})
