import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { movedStages } from "../../domain/stage.ts"
import { Percentage } from "../../migration/api/flags.ts"
import { people } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { operate, prepareAndOperate } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions, text } from "../operate/options.ts"
import { peopleOptions } from "../operate/people.ts"
import { quoted } from "../typed.ts"
import { changeFlags } from "./change.ts"
import { toDenyChange, toStageChange } from "./read.ts"
import { renderFlags } from "./render.ts"

const list = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const flags = yield* ask((client) => client.flags.getFlags({}))
  const { stages, bornInObjects } = yield* ask((client) => client.flags.countStages({}))
  const started = bornInObjects === 0 ? "" : `\n${people(bornInObjects)} started in an object and have no step to take.`
  yield* outcome.tell({ ...flags, people: stages, bornInObjects }, `${renderFlags(flags, stages)}${started}`)
})

const listCommand = Command.make("list", operatorOptions, (options) => operate(options, list)).pipe(
  Command.withDescription("Show the target stage that the flags set, and how many people are at each stage."),
  Command.withShortDescription("Show the flags, and how many people are at each stage"),
  Command.withExamples([{ command: "pollen flags list", description: "Flags, and people at each stage" }]),
)

const setOptions = {
  stage: Argument.Literals("stage", movedStages).pipe(
    Argument.withDescription("The stage to set: dual_write, shadow, live, rampdown or complete"),
  ),
  percentage: Argument.Finite("percentage").pipe(
    Argument.withSchema(Percentage),
    Argument.withDescription(
      "Percentage of people whose target is this stage or a later one: 0 to 100, at most two decimals",
    ),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  allow: text("allow", "User ids, separated by commas, to include whatever the percentage"),
  disallow: text("disallow", "User ids, separated by commas, to take off that list"),
  enable: isGiven("enable", "Apply percentage and list; setting a percentage or --allow does so too"),
  disable: isGiven("disable", "Ignore percentage and list, and keep them for later"),
  dryRun,
}

const setCommand = Command.make("set", { ...operatorOptions, ...setOptions }, (options) =>
  prepareAndOperate(options, toStageChange(options), (change) => changeFlags(change, { dryRun: options.dryRun })),
).pipe(
  Command.withDescription(
    `Set who should be at a stage, or beyond it. A raised percentage keeps everybody who was in; a lowered one takes people back with the next run. Nobody moves before ${quoted("migrate start")}.`,
  ),
  Command.withShortDescription("Set who should be at a stage"),
  Command.withExamples([
    { command: "pollen flags set live --allow ada,grace", description: "Two people, whatever the percentage" },
    { command: "pollen flags set live 10 --dry-run", description: "Show whom 10 percent would move" },
    { command: "pollen flags set live 10", description: "10 percent of everybody" },
    { command: "pollen flags set live 0", description: "Back again, except those on the allow-list" },
  ]),
)

const haltCommand = Command.make(
  "halt",
  {
    ...operatorOptions,
    state: Argument.Literals("state", ["on", "off"]).pipe(Argument.withDescription("on or off")),
    dryRun,
  },
  (options) =>
    operate(
      options,
      changeFlags({ stage: null, change: { isHalted: options.state === "on" } }, { dryRun: options.dryRun }),
    ),
).pipe(
  Command.withDescription(
    "Turn the kill switch on or off. While it is on, no run takes anybody a step further, forward or back. Everything else keeps working.",
  ),
  Command.withShortDescription("Turn the kill switch on or off"),
  Command.withExamples([
    { command: "pollen flags halt on", description: "Stop every step now" },
    { command: "pollen flags halt off", description: "Allow steps again" },
  ]),
)

const denyCommand = Command.make(
  "deny",
  { ...operatorOptions, ...peopleOptions, remove: isGiven("remove", "Take people off the deny-list"), dryRun },
  (options) =>
    prepareAndOperate(options, toDenyChange(options), (change) => changeFlags(change, { dryRun: options.dryRun })),
).pipe(
  Command.withDescription("Keep people at off, whatever the percentages. The next run takes them back there."),
  Command.withShortDescription("Keep people at off whatever the percentages"),
  Command.withExamples([
    { command: "pollen flags deny ada", description: "ada stays at off" },
    { command: "pollen flags deny ada --remove", description: "The flags count for ada again" },
  ]),
)

/** `pollen flags …` */
export const flagsCommand = Command.make("flags").pipe(
  Command.withDescription("Show and set the target stage of everybody: percentages, lists and the kill switch."),
  Command.withSubcommands([listCommand, setCommand, haltCommand, denyCommand]),
)
