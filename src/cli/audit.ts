import { Effect } from "effect"
import { Command } from "effect/cli"
import { formatTime } from "./format.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { operatorOptions, whole } from "./operate/options.ts"
import { renderTable } from "./table.ts"
import { quoted } from "./typed.ts"

const detailAtMost = 80

const renderDetail = (detail: unknown): string => {
  const text = JSON.stringify(detail) ?? ""
  return text.length > detailAtMost ? `${text.slice(0, detailAtMost - 1)}…` : text
}

const showActions = Effect.fn("showActions")(function* (limit: number | undefined, before: number | undefined) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const page = yield* ask(({ metrics }) =>
    metrics.listActions({
      query: { ...(limit === undefined ? {} : { limit }), ...(before === undefined ? {} : { before }) },
    }),
  )
  const rows = page.actions.map(({ id, at, actor, action, outcome: end, detail }) => [
    ...[id, formatTime(at), actor, action, end],
    renderDetail(detail),
  ])
  const words =
    rows.length === 0 ? "  No actions yet." : renderTable(rows, ["id", "when", "who", "action", "outcome", "detail"])
  const more = page.next === null ? "" : `\n\nOlder actions: ${quoted(`audit --before ${page.next}`)}`
  yield* outcome.tell(page, `${words}${more}`)
})

/** `pollen audit` */
export const auditCommand = Command.make(
  "audit",
  {
    ...operatorOptions,
    limit: whole("limit", 1, 200, "How many actions to show (default: 50)"),
    before: whole("before", 1, Number.MAX_SAFE_INTEGER, "Only actions before the one with this id"),
  },
  (options) => operate(options, showActions(options.limit ?? 50, options.before)),
).pipe(
  Command.withDescription("Show what operators did and how it ended, newest first."),
  Command.withShortDescription("Show what operators did"),
  Command.withExamples([{ command: "pollen audit --limit 10", description: "The last ten actions" }]),
)
