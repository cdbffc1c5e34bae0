import { Clock, Duration, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { CronRuns, Metrics } from "../migration/api/metrics.ts"
import { formatCount, formatDuration, formatTime } from "./format.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions } from "./operate/options.ts"
import { renderTable } from "./table.ts"

const cronRows: ReadonlyArray<readonly [string, (runs: CronRuns) => string]> = [
  ["runs", ({ runs }) => formatCount(runs)],
  ["that did not get through", ({ incomplete }) => formatCount(incomplete)],
  ["last", ({ lastAt }) => formatTime(lastAt)],
  ["took, on average", ({ averageMs }) => formatDuration(averageMs)],
  ["took, at most", ({ slowestMs }) => formatDuration(slowestMs)],
  ["took, all together", ({ totalMs }) => formatDuration(totalMs)],
  ["accounts polled, or objects found late", ({ people }) => formatCount(people)],
  ["failed", ({ failed }) => formatCount(failed)],
]

const renderCron = ({ cron: { legacy, objects } }: Metrics): string =>
  renderTable(
    cronRows.map(([name, figure]) => [name, figure(legacy), figure(objects)]),
    ["", "central poller", "objects"],
  )

const renderTokens = ({ tokens }: Metrics): string =>
  tokens.length === 0
    ? "  None yet."
    : renderTable(
        tokens.map(({ operation, source, outcome, count, averageMs, slowestMs }) => [
          ...[operation, source, outcome, count],
          ...[formatDuration(averageMs), formatDuration(slowestMs)],
        ]),
        ["operation", "answered by", "outcome", "times", "on average", "at most"],
      )

const tellMetrics = Effect.fn("tellMetrics")(function* (since: Duration.Duration) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const now = yield* Clock.currentTimeMillis
  const figures = yield* ask(({ metrics }) => metrics.getMetrics({ query: { since: now - Duration.toMillis(since) } }))
  const words = [
    `Runs of cron since ${formatTime(figures.since)}:`,
    "",
    renderCron(figures),
    "",
    "Token operations since counting began:",
    "",
    renderTokens(figures),
  ]
  yield* outcome.tell(figures, words.join("\n"))
})

/** `pollen metrics` */
export const metricsCommand = Command.make(
  "metrics",
  {
    ...operatorOptions,
    since: Flag.String("since").pipe(
      Flag.withSchema(Schema.DurationFromString),
      Flag.withDescription('How far back runs of cron count, such as "6 hours" (1 day unless told)'),
      Flag.optional,
      Flag.map(Option.getOrElse(() => Duration.days(1))),
    ),
  },
  (options) => operate(options, tellMetrics(options.since)),
).pipe(
  Command.withDescription(
    "Show both ways side by side: what runs of cron took, and who answered token operations, how, and how fast.",
  ),
  Command.withShortDescription("Show both ways side by side"),
  Command.withExamples([
    { command: "pollen metrics", description: "The last day" },
    { command: 'pollen metrics --since "1 hour" --json', description: "The last hour, for a program" },
  ]),
)
