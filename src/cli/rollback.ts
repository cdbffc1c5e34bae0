import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { type Stage, stages } from "../domain/stage.ts"
import type { UserId } from "../domain/user.ts"
import { Misused } from "./exit.ts"
import { people as count } from "./format.ts"
import { renderPlan } from "./migrate/progress.ts"
import { type PaceOptions, paceOptions, toSettings, watchOption, watchOrLeave } from "./migrate/start.ts"
import { watchRun } from "./migrate/watch.ts"
import { confirm } from "./operate/confirm.ts"
import { requireKnown } from "./operate/known.ts"
import { MigrationWorker } from "./operate/MigrationWorker.ts"
import { prepareAndOperate } from "./operate/operate.ts"
import { dryRun, isGiven, operatorOptions, yes } from "./operate/options.ts"
import { type PeopleOptions, peopleOptions, readPeople } from "./operate/people.ts"
import { quoted } from "./typed.ts"

interface RollbackOptions extends PeopleOptions, PaceOptions {
  readonly stage: Stage | undefined
  readonly everybody: boolean
  readonly includeStartedInObject: boolean
  readonly to: Stage
  readonly dryRun: boolean
  readonly watch: boolean
  readonly yes: boolean
}

/** The people whom a rollback concerns: those named on the command line, and what the worker is asked. */
interface Concerned {
  readonly people: ReadonlyArray<UserId> | undefined
  readonly chosen: { readonly people: ReadonlyArray<UserId> } | { readonly everybody: true } | { readonly at: Stage }
}

/** Reads whom a rollback concerns: exactly one of three ways to name them. */
export const toConcerned = Effect.fnUntraced(function* (
  options: PeopleOptions & Pick<RollbackOptions, "stage" | "everybody">,
) {
  const people = yield* readPeople(options)
  const given = [people !== undefined, options.stage !== undefined, options.everybody].filter(Boolean).length
  if (given !== 1) {
    return yield* new Misused({
      message: "Give the people to roll back in one way: user ids, --stage or --everybody.",
    })
  }
  const chosen =
    people !== undefined
      ? { people }
      : options.stage !== undefined
        ? { at: options.stage }
        : { everybody: true as const }
  return { people, chosen } satisfies Concerned
})

/** Counts the people of a rollback, for its confirmation. */
const countConcerned = Effect.fnUntraced(function* (stage: Stage | undefined) {
  const { ask } = yield* MigrationWorker
  const { stages: counts } = yield* ask(({ flags }) => flags.countStages({}))
  return counts
    .filter((each) => stage === undefined || each.stage === stage)
    .reduce((sum, each) => sum + each.people, 0)
})

/** Takes people back, and keeps them there. A stage or everybody has to be confirmed; named people do not. */
export const rollBack = Effect.fn("rollBack")(function* (options: RollbackOptions, { people, chosen }: Concerned) {
  const { ask } = yield* MigrationWorker
  yield* requireKnown(people)
  const settings = {
    ...toSettings(options),
    ...chosen,
    to: options.to,
    ...(options.includeStartedInObject ? { includesBorn: true } : {}),
  }
  if (options.dryRun) {
    const run = yield* ask(({ runs }) => runs.startRollback({ payload: { ...settings, isDry: true } }))
    return yield* watchRun(run.id, renderPlan)
  }
  if (people === undefined) {
    const what = options.stage === undefined ? "everybody" : `everybody at ${options.stage}`
    yield* confirm({
      yes: options.yes,
      word: options.stage ?? "everybody",
      about: `This takes ${what}, ${count(yield* countConcerned(options.stage))}, back to ${options.to}, and cancels a run that is under way.`,
    })
  }
  const run = yield* ask(({ runs }) => runs.startRollback({ payload: settings }))
  yield* watchOrLeave(run.id, options)
})

const backTo = stages.filter((stage) => stage !== "complete")

/** `pollen rollback …` */
export const rollbackCommand = Command.make(
  "rollback",
  {
    ...operatorOptions,
    ...peopleOptions,
    stage: Flag.Literals("stage", stages).pipe(
      Flag.withDescription("Roll back everybody who is at this stage now"),
      Flag.optional,
      Flag.map(Option.getOrUndefined),
    ),
    everybody: isGiven("everybody", "Roll back everybody, whatever their stage"),
    includeStartedInObject: isGiven(
      "include-started-in-object",
      "With --everybody: include people whose accounts started in an object and were never in D1",
    ),
    to: Flag.Literals("to", backTo).pipe(
      Flag.withDescription(
        "The stage to go back to (default: shadow, where D1 holds the grants, the legacy poller polls and the object keeps a copy; off deletes the copy too)",
      ),
      Flag.withDefault("shadow" as const),
    ),
    ...paceOptions,
    watch: watchOption,
    dryRun,
    yes,
  },
  (options) => prepareAndOperate(options, toConcerned(options), (concerned) => rollBack(options, concerned)),
).pipe(
  Command.withDescription(
    `Take people back: the object stops refreshing and hands over its newest tokens, D1 stores and verifies them, and holds the grants again. People stay back whatever the flags say, until ${quoted("migrate clear-ceiling")}. A run that is under way is cancelled.`,
  ),
  Command.withShortDescription("Take people back to D1, with their newest tokens"),
  Command.withExamples([
    { command: "pollen rollback ada --watch", description: "One person" },
    { command: "pollen rollback --people-file ids.txt --watch", description: "The people in a file" },
    { command: "pollen rollback --stage live --watch", description: "Everybody who is at live now" },
    { command: "pollen rollback --everybody --dry-run", description: "Show what a rollback of everybody would do" },
    { command: "pollen rollback --everybody --yes --watch", description: "Everybody, from a script" },
  ]),
)
