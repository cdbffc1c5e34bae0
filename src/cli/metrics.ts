import { Clock, Duration, Effect, Option, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import type { CronRuns, Metrics } from "../migration/api/metrics.ts"
import { renderCount, renderDuration, renderMoment } from "./format.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions } from "./operate/options.ts"
import { renderTable } from "./table.ts"

const cronRows: ReadonlyArray<readonly [string, (runs: CronRuns) => string]> = [
  ["runs", ({ runs }) => renderCount(runs)],
  ["that did not get through", ({ incomplete }) => renderCount(incomplete)],
  ["last", ({ lastAt }) => renderMoment(lastAt)],
  ["took, on average", ({ averageMs }) => renderDuration(averageMs)],
  ["took, at most", ({ slowestMs }) => renderDuration(slowestMs)],
  ["took, all together", ({ totalMs }) => renderDuration(totalMs)],
  ["accounts polled, or objects found late", ({ people }) => renderCount(people)],
  ["failed", ({ failed }) => renderCount(failed)],
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
          ...[renderDuration(averageMs), renderDuration(slowestMs)],
        ]),
        ["operation", "answered by", "outcome", "times", "on average", "at most"],
      )

const tellMetrics = Effect.fn("tellMetrics")(function* (since: Duration.Duration) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const now = yield* Clock.currentTimeMillis
  const figures = yield* ask(({ metrics }) => metrics.getMetrics({ query: { since: now - Duration.toMillis(since) } }))
  const words = [
    `Runs of cron since ${renderMoment(figures.since)}:`,
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
