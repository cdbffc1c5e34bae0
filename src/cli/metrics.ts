import { Clock, Effect } from "effect"
import { Command } from "effect/cli"
import type { CronRuns, Metrics } from "../migration/api/metrics.ts"
import { people as count, formatCount, formatDuration, formatTime, plural } from "./format.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions } from "./operate/options.ts"
import { type Since, sinceOption } from "./since.ts"
import { renderTable } from "./table.ts"
import { quoted } from "./typed.ts"

const cronRows: ReadonlyArray<readonly [string, (runs: CronRuns) => string]> = [
  ["runs", ({ runs }) => formatCount(runs)],
  ["incomplete", ({ incomplete }) => formatCount(incomplete)],
  ["last", ({ lastAt }) => formatTime(lastAt)],
  ["average time", ({ averageMs }) => formatDuration(averageMs)],
  ["longest time", ({ slowestMs }) => formatDuration(slowestMs)],
  ["total time", ({ totalMs }) => formatDuration(totalMs)],
  ["accounts polled, or late objects", ({ people }) => formatCount(people)],
  ["failed", ({ failed }) => formatCount(failed)],
]

const renderCron = ({ cron: { legacy, objects } }: Metrics): string =>
  renderTable(
    cronRows.map(([name, figure]) => [name, figure(legacy), figure(objects)]),
    ["", "legacy poller", "objects"],
  )

const renderTokens = ({ tokens }: Metrics): string =>
  tokens.length === 0
    ? "  None yet."
    : renderTable(
        tokens.map(({ operation, source, outcome, count, averageMs, slowestMs }) => [
          ...[operation, source, outcome, count],
          ...[formatDuration(averageMs), formatDuration(slowestMs)],
        ]),
        ["operation", "answered by", "outcome", "count", "average", "longest"],
      )

const countsOf = (counts: ReadonlyArray<{ readonly provider: string; readonly grants: number }>): string =>
  counts.map(({ provider, grants }) => `${formatCount(grants)} of ${provider}`).join(", ")

const renderGrants = ({ grants: { ending, ended, ofUnknownAge } }: Metrics): string =>
  [
    ending.length === 0
      ? "  None that pollen knows of."
      : renderTable(
          ending.map(({ provider, from, grants }) => [formatTime(from), provider, grants]),
          ["week from", "provider", "grants"],
        ),
    ...(ended.length === 0 ? [] : [`  Ended already: ${countsOf(ended)}`]),
    ...(ofUnknownAge.length === 0 ? [] : [`  Of unknown age: ${countsOf(ofUnknownAge)}`]),
  ].join("\n")

const renderSetAside = ({ setAside: { people, rows } }: Metrics): ReadonlyArray<string> =>
  rows === 0
    ? []
    : [
        "",
        `D1 refuses ${plural(rows, "row")} of ${count(people)} for what they are. The log of the core worker says why; then: ${quoted("redeliver USER")}`,
      ]

const showMetrics = Effect.fn("showMetrics")(function* (since: Since) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const now = yield* Clock.currentTimeMillis
  const figures = yield* ask(({ metrics }) => metrics.getMetrics({ query: { since: since(now) } }))
  const words = [
    `Cron runs since ${formatTime(figures.since)}:`,
    "",
    renderCron(figures),
    "",
    "Token operations since counting began:",
    "",
    renderTokens(figures),
    "",
    "Grants that end by their age, unless their people connect again:",
    "",
    renderGrants(figures),
    ...renderSetAside(figures),
  ]
  yield* outcome.tell(figures, words.join("\n"))
})

/** `pollen metrics` */
export const metricsCommand = Command.make(
  "metrics",
  {
    ...operatorOptions,
    since: sinceOption("Count cron runs since then"),
  },
  (options) => operate(options, showMetrics(options.since)),
).pipe(
  Command.withDescription(
    "Compare the legacy poller with the objects: the time that cron runs took, and who answered token operations, how, and how fast. Counts the grants that end in each coming week.",
  ),
  Command.withShortDescription("Compare the legacy poller with the objects"),
  Command.withExamples([
    { command: "pollen metrics", description: "The last day" },
    { command: 'pollen metrics --since "1 hour" --json', description: "The last hour, for a program" },
  ]),
)
