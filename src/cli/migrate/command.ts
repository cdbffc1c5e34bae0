import { Effect } from "effect"
import { Command } from "effect/cli"
import { operate } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions } from "../operate/options.ts"
import { peopleOptions } from "../operate/people.ts"
import { cancelRun, listRuns, pauseRun, resumeRun } from "./control.ts"
import { lift } from "./lift.ts"
import { findRun, runArgument } from "./runs.ts"
import { paceOptions, startMove, watchOption } from "./start.ts"
import { checkCommand, intakeCommand } from "./tables.ts"
import { verify } from "./verify.ts"
import { watchRun } from "./watch.ts"

const planCommand = Command.make("plan", { ...operatorOptions, ...peopleOptions, ...paceOptions }, (options) =>
  operate(options, startMove({ ...options, dryRun: true, watch: true })),
).pipe(
  Command.withDescription(
    "Look at everybody, or at some, and say who would go from which stage to which, and who would fail and why. Writes nothing.",
  ),
  Command.withShortDescription("Say who would go where, and who would fail"),
  Command.withExamples([
    { command: "pollen migrate plan", description: "What a start would do, by the flags as they are" },
    { command: "pollen migrate plan ada grace --json", description: "The same for two people, for a program" },
  ]),
)

const startCommand = Command.make(
  "start",
  { ...operatorOptions, ...peopleOptions, ...paceOptions, watch: watchOption, dryRun },
  (options) => operate(options, startMove(options)),
).pipe(
  Command.withDescription(
    "Take everybody, or some, to where the flags say they should be, forward or back, one stage at a time. A run whose worker was stopped is taken on instead of another begun.",
  ),
  Command.withShortDescription("Take people to where the flags say they should be"),
  Command.withExamples([
    { command: "pollen migrate start --watch", description: "Begin, and watch" },
    { command: "pollen migrate start ada grace --watch", description: "Two people alone" },
    {
      command: "pollen migrate start --watch --json --patience 0",
      description: "In a script: exit code 4 when somebody failed",
    },
  ]),
)

const watchCommand = Command.make("watch", { ...operatorOptions, run: runArgument }, (options) =>
  operate(
    options,
    Effect.flatMap(options.run === undefined ? findRun([]) : Effect.succeed(options.run), (id) => watchRun(id)),
  ),
).pipe(
  Command.withDescription("Show how far a run is until it is over or paused. Ctrl-C ends the watching, not the run."),
  Command.withShortDescription("Show how far a run is"),
  Command.withExamples([{ command: "pollen migrate watch", description: "The newest run" }]),
)

const pauseCommand = Command.make("pause", { ...operatorOptions, run: runArgument, dryRun }, (options) =>
  operate(options, pauseRun(options.run, options.dryRun)),
).pipe(
  Command.withDescription("Stop a run for a while. Everybody stays where they got to, with one holder of each grant."),
  Command.withShortDescription("Stop a run for a while"),
  Command.withExamples([{ command: "pollen migrate pause", description: "The run that is under way" }]),
)

const resumeCommand = Command.make(
  "resume",
  { ...operatorOptions, run: runArgument, watch: watchOption, dryRun },
  (options) => operate(options, resumeRun(options)),
).pipe(
  Command.withDescription(
    "Take on a run that was paused, or one whose worker was stopped. What was done is not repeated.",
  ),
  Command.withShortDescription("Take on a run that was paused, or whose worker was stopped"),
  Command.withExamples([{ command: "pollen migrate resume --watch", description: "Go on, and watch" }]),
)

const cancelCommand = Command.make("cancel", { ...operatorOptions, run: runArgument, dryRun }, (options) =>
  operate(options, cancelRun(options.run, options.dryRun)),
).pipe(
  Command.withDescription("End a run for good. Everybody stays where they got to; the next start goes on from there."),
  Command.withShortDescription("End a run for good"),
  Command.withExamples([{ command: "pollen migrate cancel", description: "The run that is under way or paused" }]),
)

const runsCommand = Command.make("runs", operatorOptions, (options) => operate(options, listRuns)).pipe(
  Command.withDescription("List the runs there have been, the newest first."),
  Command.withExamples([{ command: "pollen migrate runs", description: "What has been done so far" }]),
)

const verifyCommand = Command.make(
  "verify",
  {
    ...operatorOptions,
    ...peopleOptions,
    use: isGiven("use", "Use each grant for one cheap question to its provider as well"),
  },
  (options) => operate(options, verify(options)),
).pipe(
  Command.withDescription(
    "Compare what D1 has with what the objects can open, by fingerprints under a key made for the occasion. Exit code 4 if anything is not as it should be. Writes nothing but who was found to be as they should, and when; shows no token.",
  ),
  Command.withShortDescription("Compare what D1 has with what the objects can open"),
  Command.withExamples([
    { command: "pollen migrate verify", description: "Everybody" },
    { command: "pollen migrate verify ada --use", description: "One person, whose grants are tried as well" },
  ]),
)

const liftCommand = Command.make("lift", { ...operatorOptions, ...peopleOptions, dryRun }, (options) =>
  operate(options, lift(options)),
).pipe(
  Command.withDescription(
    "Let people go on whom a rollback holds back: from then on the flags alone say where they should be.",
  ),
  Command.withShortDescription("Let people go on whom a rollback holds back"),
  Command.withExamples([
    { command: "pollen migrate lift ada", description: "One person" },
    { command: "pollen migrate lift", description: "Everybody" },
  ]),
)

/** `pollen migrate …` */
export const migrateCommand = Command.make("migrate").pipe(
  Command.withDescription("Take people from D1 to objects of their own, by the flags, and look at how it goes."),
  Command.withSubcommands([
    planCommand,
    startCommand,
    watchCommand,
    pauseCommand,
    resumeCommand,
    cancelCommand,
    runsCommand,
    verifyCommand,
    liftCommand,
    checkCommand,
    intakeCommand,
  ]),
)
