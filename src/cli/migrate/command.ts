import { Effect } from "effect"
import { Command } from "effect/cli"
import { operate } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions } from "../operate/options.ts"
import { peopleOptions } from "../operate/people.ts"
import { clearCeiling } from "./clearCeiling.ts"
import { cancelRun, listRuns, pauseRun, resumeRun } from "./control.ts"
import { findRun, runArgument } from "./runs.ts"
import { paceOptions, startMove, watchOption } from "./start.ts"
import { checkCommand, importCommand } from "./tables.ts"
import { verify } from "./verify.ts"
import { watchRun } from "./watch.ts"

const planCommand = Command.make("plan", { ...operatorOptions, ...peopleOptions, ...paceOptions }, (options) =>
  operate(options, startMove({ ...options, dryRun: true, watch: true })),
).pipe(
  Command.withDescription(
    "Check everybody, or some people, and show who would go from which stage to which, and who would fail and why. Writes nothing.",
  ),
  Command.withShortDescription("Show who would go where, and who would fail"),
  Command.withExamples([
    { command: "pollen migrate plan", description: "Show what a start would do with the current flags" },
    { command: "pollen migrate plan ada grace --json", description: "The same for two people, for a program" },
  ]),
)

const startCommand = Command.make(
  "start",
  { ...operatorOptions, ...peopleOptions, ...paceOptions, watch: watchOption, dryRun },
  (options) => operate(options, startMove(options)),
).pipe(
  Command.withDescription(
    "Take everybody, or some people, to the targets that the flags set, forward or back, one stage at a time. Continues a run whose worker was stopped instead of starting another.",
  ),
  Command.withShortDescription("Take people to the targets that the flags set"),
  Command.withExamples([
    { command: "pollen migrate start --watch", description: "Start a run, and watch it" },
    { command: "pollen migrate start ada grace --watch", description: "Only two people" },
    {
      command: "pollen migrate start --watch --json --patience 0",
      description: "In a script: exit code 4 if somebody failed",
    },
  ]),
)

const watchCommand = Command.make("watch", { ...operatorOptions, run: runArgument }, (options) =>
  operate(
    options,
    Effect.flatMap(options.run === undefined ? findRun([]) : Effect.succeed(options.run), (id) => watchRun(id)),
  ),
).pipe(
  Command.withDescription(
    "Show the progress of a run until it is over or paused. Ctrl-C ends the watching, not the run.",
  ),
  Command.withShortDescription("Show the progress of a run"),
  Command.withExamples([{ command: "pollen migrate watch", description: "Watch the newest run" }]),
)

const pauseCommand = Command.make("pause", { ...operatorOptions, run: runArgument, dryRun }, (options) =>
  operate(options, pauseRun(options.run, options)),
).pipe(
  Command.withDescription("Pause a run. Everybody stays where they are, with one holder for each grant."),
  Command.withShortDescription("Pause a run"),
  Command.withExamples([{ command: "pollen migrate pause", description: "Pause the run that is under way" }]),
)

const resumeCommand = Command.make(
  "resume",
  { ...operatorOptions, run: runArgument, watch: watchOption, dryRun },
  (options) => operate(options, resumeRun(options)),
).pipe(
  Command.withDescription(
    "Continue a run that was paused, or one whose worker was stopped. Finished steps are not repeated.",
  ),
  Command.withShortDescription("Continue a paused run, or one whose worker was stopped"),
  Command.withExamples([{ command: "pollen migrate resume --watch", description: "Continue the run, and watch it" }]),
)

const cancelCommand = Command.make("cancel", { ...operatorOptions, run: runArgument, dryRun }, (options) =>
  operate(options, cancelRun(options.run, options)),
).pipe(
  Command.withDescription("Cancel a run. Everybody stays where they are; the next start goes on from there."),
  Command.withShortDescription("Cancel a run"),
  Command.withExamples([
    { command: "pollen migrate cancel", description: "Cancel the run that is under way or paused" },
  ]),
)

const runsCommand = Command.make("runs", operatorOptions, (options) => operate(options, listRuns)).pipe(
  Command.withDescription("List all runs, newest first."),
  Command.withExamples([{ command: "pollen migrate runs", description: "List all runs" }]),
)

const verifyCommand = Command.make(
  "verify",
  {
    ...operatorOptions,
    ...peopleOptions,
    use: isGiven("use", "Also use each grant for one cheap request to its provider"),
  },
  (options) => operate(options, verify(options)),
).pipe(
  Command.withDescription(
    "Compare what D1 has with what the objects can open, by fingerprints under a single-use key. Exit code 4 if anything differs. Writes only who passed, and when; prints no token.",
  ),
  Command.withShortDescription("Compare what D1 has with what the objects can open"),
  Command.withExamples([
    { command: "pollen migrate verify", description: "Everybody" },
    { command: "pollen migrate verify ada --use", description: "One person, whose grants are used too" },
  ]),
)

const clearCeilingCommand = Command.make("clear-ceiling", { ...operatorOptions, ...peopleOptions, dryRun }, (options) =>
  operate(options, clearCeiling(options)),
).pipe(
  // The name that the command had before; help does not show it.
  Command.withAlias("lift"),
  Command.withDescription(
    "Release people whom a rollback holds back: from then on the flags alone set their target. Nobody moves before the next run.",
  ),
  Command.withShortDescription("Release people whom a rollback holds back"),
  Command.withExamples([
    { command: "pollen migrate clear-ceiling ada", description: "One person" },
    { command: "pollen migrate clear-ceiling --dry-run", description: "Count the people who are held back" },
    { command: "pollen migrate clear-ceiling", description: "Everybody" },
  ]),
)

/** `pollen migrate …` */
export const migrateCommand = Command.make("migrate").pipe(
  Command.withDescription("Move people from D1 to their own objects, as the flags say, and watch the move."),
  Command.withSubcommands([
    planCommand,
    startCommand,
    watchCommand,
    pauseCommand,
    resumeCommand,
    cancelCommand,
    runsCommand,
    verifyCommand,
    clearCeilingCommand,
    checkCommand,
    importCommand,
  ]),
)
