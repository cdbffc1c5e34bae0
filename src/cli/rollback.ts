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
import { operate } from "./operate/operate.ts"
import { dryRun, isGiven, operatorOptions, yes } from "./operate/options.ts"
import { type PeopleOptions, peopleOptions, readPeople } from "./operate/people.ts"

interface RollbackOptions extends PeopleOptions, PaceOptions {
  readonly stage: Stage | undefined
  readonly everybody: boolean
  readonly includeBorn: boolean
  readonly to: Stage
  readonly dryRun: boolean
  readonly watch: boolean
  readonly yes: boolean
}

/** Whom a rollback concerns: exactly one of three. */
const whom = Effect.fnUntraced(function* (options: RollbackOptions, people: ReadonlyArray<UserId> | undefined) {
  const given = [people !== undefined, options.stage !== undefined, options.everybody].filter(Boolean).length
  if (given !== 1) {
    return yield* new Misused({
      message: "Say whom to roll back: user ids, or --stage for all who are at one, or --everybody; one of the three.",
    })
  }
  if (people !== undefined) return { people }
  return options.stage === undefined ? { everybody: true } : { at: options.stage }
})

/** How many that is, for the question whether it is meant. */
const countThem = Effect.fnUntraced(function* (stage: Stage | undefined) {
  const { ask } = yield* MigrationWorker
  const { stages: counts } = yield* ask(({ flags }) => flags.countStages({}))
  return counts
    .filter((each) => stage === undefined || each.stage === stage)
    .reduce((sum, each) => sum + each.people, 0)
})

/** Takes people back, and keeps them there. A named few are taken at once; a stage or everybody is asked about first. */
export const rollBack = Effect.fn("rollBack")(function* (options: RollbackOptions) {
  const { ask } = yield* MigrationWorker
  const people = yield* readPeople(options)
  yield* requireKnown(people)
  const chosen = yield* whom(options, people)
  const settings = {
    ...toSettings(options),
    ...chosen,
    to: options.to,
    ...(options.includeBorn ? { includesBorn: true } : {}),
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
      about: `This takes ${what}, ${count(yield* countThem(options.stage))}, back to ${options.to}, and cancels a run that is under way.`,
    })
  }
  const run = yield* ask(({ runs }) => runs.startRollback({ payload: settings }))
  yield* watchOrLeave(run.id, options.watch)
})

const backTo = stages.filter((stage) => stage !== "complete")

/** `pollen rollback …` */
export const rollbackCommand = Command.make(
  "rollback",
  {
    ...operatorOptions,
    ...peopleOptions,
    stage: Flag.Literals("stage", stages).pipe(
      Flag.withDescription("Everybody who is at this stage now"),
      Flag.optional,
      Flag.map(Option.getOrUndefined),
    ),
    everybody: isGiven("everybody", "Everybody, whatever their stage"),
    includeBorn: isGiven(
      "include-born",
      "With --everybody: also those whose accounts began in an object and never were in D1",
    ),
    to: Flag.Literals("to", backTo).pipe(
      Flag.withDescription(
        "The stage to go back to (shadow unless told: D1 holds and the central poller polls, and the object keeps a copy; off throws the copy away as well)",
      ),
      Flag.withDefault("shadow" as const),
    ),
    ...paceOptions,
    watch: watchOption,
    dryRun,
    yes,
  },
  (options) => operate(options, rollBack(options)),
).pipe(
  Command.withDescription(
    "Take people back: the object stops refreshing and hands over its newest tokens, D1 is written and verified, and the right to refresh returns to it. They stay there whatever the flags say, until pollen migrate lift. A run under way is cancelled for it.",
  ),
  Command.withShortDescription("Take people back to D1, with their newest tokens"),
  Command.withExamples([
    { command: "pollen rollback ada --watch", description: "One person" },
    { command: "pollen rollback --people-file ids.txt --watch", description: "A list" },
    { command: "pollen rollback --stage live --watch", description: "All who are at live now" },
    { command: "pollen rollback --everybody --dry-run", description: "What it would be for everybody" },
    { command: "pollen rollback --everybody --yes --watch", description: "Everybody, from a script" },
  ]),
)
