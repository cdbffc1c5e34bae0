import type { FailureCount, Run } from "../../migration/api/runs.ts"
import type { Phase } from "../Display.ts"
import { formatCount, formatDuration, formatTime, people } from "../format.ts"
import { renderTable } from "../table.ts"
import { quoted } from "../typed.ts"

/** The name of the phase that a run is in. */
const doing = ({ kind, isDry }: Run): string => (isDry ? "checking" : kind === "move" ? "moving" : "rolling back")

const renderFailure = ({ reason, people: count, examples }: FailureCount): string =>
  `${people(count)}: ${reason}  (${examples.join(", ")}${count > examples.length ? ", …" : ""})`

/** Milliseconds without a change after which the process of a run may be gone, as after a restart by hand. */
const quietMs = 60_000

const renderQuiet = ({ state, updatedAt, progress }: Run, now: number): ReadonlyArray<string> =>
  state === "running" && progress.waitingUntil === null && now - updatedAt > quietMs
    ? [
        `  no progress for ${formatDuration(now - updatedAt)}; if the worker was restarted, ${quoted("migrate resume")} continues the run`,
      ]
    : []

const renderPace = ({ progress, stepsPerSecond, peoplePerSecond, remainingMs }: Run, now: number): string => {
  if (progress.waitingUntil !== null) {
    return `waiting ${formatDuration(Math.max(0, progress.waitingUntil - now))} to retry failed people`
  }
  return [
    `${formatCount(progress.arrived)} of ${people(progress.people)} arrived`,
    `${peoplePerSecond.toFixed(1)} people/s`,
    `${stepsPerSecond.toFixed(1)} steps/s`,
    ...(remainingMs === null ? [] : [`${formatDuration(remainingMs)} left`]),
    ...(progress.answers === 0 ? [] : [`${formatCount(progress.answers)} answers of objects in the current page`]),
  ].join(", ")
}

/** A dry run counts people and takes no step. */
const toBar = ({ isDry, state, progress: { people: all, taken, steps } }: Run) =>
  isDry ? { done: state === "finished" ? all : 0, total: all } : { done: taken, total: steps }

const renderNote = (run: Run): string => {
  const { pass, cursor, steps } = run.progress
  if (pass === 0 && run.state === "running") return "counting people with a step to take"
  if (steps === 0) return "nobody has a step to take"
  if (run.isDry) return run.state === "running" && cursor !== "" ? `people; up to ${cursor}` : "people"
  return "steps"
}

/** The progress of a run, for `Display`. `now`: epoch milliseconds. */
export const toPhase = (run: Run, now: number): Phase => ({
  name: doing(run),
  ...toBar(run),
  note: renderNote(run),
  details: [
    ...(run.isDry || run.progress.pass === 0 || run.progress.steps === 0 ? [] : [`  ${renderPace(run, now)}`]),
    ...run.progress.failures.map((failure) => `  failed: ${renderFailure(failure)}`),
    ...renderQuiet(run, now),
  ],
})

const renderFailures = (title: string, failures: ReadonlyArray<FailureCount>): ReadonlyArray<string> =>
  failures.length === 0 ? [] : ["", `${title}:`, ...failures.map((failure) => `  ${renderFailure(failure)}`)]

const renderRoutes = ({ progress: { routes } }: Run): string =>
  routes.length === 0
    ? "Nobody would move: everybody who can be is at their target."
    : renderTable(
        routes.map(({ from, to, people: count }) => [from, from === to ? `${to} (put right)` : to, count]),
        ["from", "to", "people"],
      )

/** Renders what a dry run found. */
export const renderPlan = (run: Run): string =>
  [renderRoutes(run), ...renderFailures("Would fail", run.progress.failures)].join("\n")

/** Renders how a run ended, or how far it is. */
export const renderRun = (run: Run): string => {
  const { progress, state, startedAt, startedBy, updatedAt } = run
  const head = `Run ${run.id}: ${run.kind}${run.isDry ? ", dry run" : ""}, ${state}${
    progress.reason === null ? "" : ` (${progress.reason})`
  }`
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["started", `${formatTime(startedAt)} by ${startedBy}`],
    ["duration", formatDuration(updatedAt - startedAt)],
    ["people with a step to take", formatCount(progress.people)],
    ["people arrived", formatCount(progress.arrived)],
    ["steps taken", `${formatCount(progress.taken)} of ${formatCount(progress.steps)}`],
    ["steps repeated", formatCount(progress.overtaken)],
    ["failed attempts", formatCount(progress.failedAttempts)],
    ["people/s", run.peoplePerSecond.toFixed(1)],
  ]
  return [head, "", renderTable(rows), ...renderFailures("Failed", progress.failures)].join("\n")
}
