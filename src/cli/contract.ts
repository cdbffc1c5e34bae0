import { Effect } from "effect"
import { Command } from "effect/cli"
import { type DropState, dropConfirmation } from "../migration/api/drop.ts"
import { Refused } from "./exit.ts"
import { people as count, formatCount } from "./format.ts"
import { confirm } from "./operate/confirm.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { dryRun, operatorOptions, yes } from "./operate/options.ts"
import { renderTable } from "./table.ts"

const renderInTheWay = ({ inTheWay, people }: DropState): string =>
  [
    `${count(inTheWay)} in the way:`,
    renderTable(
      people.map(({ userId, stage, isVerified, isHeldByDatabase, hasTokens }) => [
        userId,
        stage ?? "–",
        isVerified ? "verified" : "not verified",
        isHeldByDatabase ? "D1 holds" : "object holds",
        hasTokens ? "tokens in D1" : "no tokens in D1",
      ]),
      ["user", "stage", "", "", ""],
    ),
    ...(inTheWay > people.length ? [`  … and ${formatCount(inTheWay - people.length)} more`] : []),
  ].join("\n")

const render = (state: DropState): string => {
  if (state.isDone) return "The token columns are gone."
  return state.inTheWay === 0
    ? "Nobody is in the way: everybody is complete and verified. The token columns can be dropped."
    : renderInTheWay(state)
}

/** The contract step: looks first, asks, and drops the columns. */
const contract = Effect.fn("contract")(function* (options: { readonly dryRun: boolean; readonly yes: boolean }) {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const state = yield* ask((client) => client.drop.getDropState({}))
  if (state.isDone || options.dryRun) return yield* outcome.tell(state, render(state))
  if (state.inTheWay > 0) {
    yield* outcome.tell(state, render(state))
    return yield* new Refused({ message: "Nothing was dropped: everybody must be complete and verified first." })
  }
  yield* confirm({
    yes: options.yes,
    word: dropConfirmation,
    about:
      "This drops the token columns of D1 for everybody. It cannot be undone, and there is no rollback to D1 after it.",
  })
  const after = yield* ask((client) => client.drop.dropTokenColumns({ payload: { confirm: dropConfirmation } }))
  yield* outcome.tell(after, render(after))
})

/** `pollen contract` */
export const contractCommand = Command.make("contract", { ...operatorOptions, dryRun, yes }, (options) =>
  operate(options, contract(options)),
).pipe(
  Command.withDescription(
    "The last step: drop the token columns of D1. Refused (exit code 3) while anybody is not complete and verified, with how many and who. It cannot be undone.",
  ),
  Command.withShortDescription("The last step: drop the token columns of D1"),
  Command.withExamples([
    { command: "pollen contract --dry-run", description: "Who is in the way" },
    { command: "pollen contract", description: "Drop them, after a question" },
    { command: "pollen contract --yes --json", description: "Drop them, from a script" },
  ]),
)
