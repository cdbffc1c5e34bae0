import { Effect } from "effect"
import { Command } from "effect/cli"
import { type DropState, dropConfirmation } from "../migration/api/drop.ts"
import { Refused } from "./exit.ts"
import { people as count, formatCount } from "./format.ts"
import { confirm } from "./operate/confirm.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { Outcome } from "./operate/Outcome.ts"
import { operate } from "./operate/operate.ts"
import { dryRun, isGiven, operatorOptions, yes } from "./operate/options.ts"
import { renderTable } from "./table.ts"

const renderPeopleInTheWay = ({ inTheWay, people }: DropState): string =>
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
  if (state.isDone) return "The token columns are dropped."
  if (state.inTheWay > 0) return renderPeopleInTheWay(state)
  return state.hasAnybodyMoved
    ? "Nobody is in the way: everybody is complete and verified."
    : "Nobody is in the way, and nobody has ever moved: the drop step needs --nobody-ever-moved."
}

/** The drop step: checks who is in the way, asks for confirmation, and drops the columns. */
const contract = Effect.fn("contract")(function* (options: {
  readonly dryRun: boolean
  readonly yes: boolean
  readonly nobodyEverMoved: boolean
}) {
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
      "This drops the token columns of D1 for everybody. It cannot be undone, and nobody can be rolled back to D1 afterwards.",
  })
  const payload = {
    confirm: dropConfirmation,
    ...(options.nobodyEverMoved ? { nobodyEverMoved: true } : {}),
  } as const
  const after = yield* ask((client) => client.drop.dropTokenColumns({ payload }))
  yield* outcome.tell(after, render(after), "good")
})

const nobodyEverMoved = isGiven(
  "nobody-ever-moved",
  "Confirm that this system never had anybody to move, as a new one; refused otherwise while nobody has moved",
)

/** `pollen contract` */
export const contractCommand = Command.make(
  "contract",
  { ...operatorOptions, nobodyEverMoved, dryRun, yes },
  (options) => operate(options, contract(options)),
).pipe(
  Command.withDescription(
    "Drop the token columns of D1: the last step of the move, which cannot be undone. Refused (exit code 3) while anybody is not complete and verified; the answer says how many, and who.",
  ),
  Command.withShortDescription("Drop the token columns of D1: the last step of the move"),
  Command.withExamples([
    { command: "pollen contract --dry-run", description: "Show who is in the way" },
    { command: "pollen contract", description: "Drop the columns, after a confirmation" },
    { command: "pollen contract --yes --json", description: "Drop the columns, from a script" },
  ]),
)
