import { Effect } from "effect"
import type { Verification } from "../../migration/api/people.ts"
import { Unfinished } from "../exit.ts"
import { formatCount, people } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { forEachPage } from "../operate/pages.ts"
import { type PeopleOptions, readPeople } from "../operate/people.ts"
import { renderTable } from "../table.ts"

type Problem = Verification["problems"][number]

/** Problems shown as text; `--json` has them all. */
const shown = 20

const renderProblems = (problems: ReadonlyArray<Problem>): string => {
  const rows = problems
    .slice(0, shown)
    .map(({ userId, stage, reason, detail }) => [userId, stage ?? "–", reason, detail])
  const rest = problems.length - rows.length
  return `${renderTable(rows, ["user", "stage", "reason", "detail"])}${rest === 0 ? "" : `\n  … and ${formatCount(rest)} more; --json lists them all`}`
}

/** `pollen migrate verify`: compares what D1 has with what the objects can open, and trusts no earlier record. */
export const verify = Effect.fn("verify")(function* (options: PeopleOptions & { readonly use: boolean }) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const answers = yield* forEachPage({
    name: "verifying",
    people: yield* readPeople(options),
    ask: (page) => ask((client) => client.people.verify({ payload: { ...page, probe: options.use } })),
    count: ({ checked }) => checked,
  })
  const checked = answers.reduce((sum, answer) => sum + answer.checked, 0)
  const problems = answers.flatMap((answer) => answer.problems)
  const wrong = new Set(problems.map(({ userId }) => userId)).size
  const words = wrong === 0 ? `${people(checked)} verified: D1 and the objects agree.` : renderProblems(problems)
  yield* outcome.tell({ checked, wrong, problems }, words, wrong === 0 ? "good" : undefined)
  if (wrong > 0)
    return yield* new Unfinished({
      message: `${formatCount(wrong)} of ${people(checked)} failed verification.`,
    })
})
