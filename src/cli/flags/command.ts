import { Effect, Option, Schema } from "effect"
import { Argument, Command } from "effect/cli"
import { movedStages } from "../../domain/stage.ts"
import { Misused } from "../exit.ts"
import { people } from "../format.ts"
import { MigrationWorker } from "../operate/MigrationWorker.ts"
import { Outcome } from "../operate/Outcome.ts"
import { operate } from "../operate/operate.ts"
import { dryRun, isGiven, operatorOptions, text } from "../operate/options.ts"
import { peopleOptions, readList, readPeople } from "../operate/people.ts"
import { changeFlags } from "./change.ts"
import { renderFlags } from "./render.ts"

const list = Effect.gen(function* () {
  const { ask } = yield* MigrationWorker
  const outcome = yield* Outcome
  const flags = yield* ask((client) => client.flags.getFlags({}))
  const { stages, bornInObjects } = yield* ask((client) => client.flags.countStages({}))
  const born = bornInObjects === 0 ? "" : `\n${people(bornInObjects)} began in an object and have no step to take.`
  yield* outcome.tell({ ...flags, people: stages, bornInObjects }, `${renderFlags(flags, stages)}${born}`)
})

const listCommand = Command.make("list", operatorOptions, (options) => operate(options, list)).pipe(
  Command.withDescription("Show where everybody should be, and how many are there."),
  Command.withExamples([{ command: "pollen flags list", description: "Flags, and people at each stage" }]),
)

const setOptions = {
  stage: Argument.Literals("stage", movedStages).pipe(
    Argument.withDescription("The stage to set: dual_write, shadow, live, rampdown or complete"),
  ),
  percentage: Argument.Finite("percentage").pipe(
    Argument.withSchema(
      Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 100 }, { message: "must be 0 to 100" })),
    ),
    Argument.withDescription("Share of people who should be at the stage or beyond it, 0 to 100 with two decimals"),
    Argument.optional,
    Argument.map(Option.getOrUndefined),
  ),
  allow: text("allow", "User ids, with commas between them, that are in whatever the percentage"),
  disallow: text("disallow", "User ids to take off that list"),
  enable: isGiven("enable", "Let percentage and list count; a percentage or --allow does so as well"),
  disable: isGiven("disable", "Let neither percentage nor list count, without forgetting them"),
  dryRun,
}

const setCommand = Command.make("set", { ...operatorOptions, ...setOptions }, (options) =>
  operate(
    options,
    Effect.gen(function* () {
      const { stage, percentage, enable, disable } = options
      const [add, remove] = yield* Effect.all([readList(options.allow), readList(options.disallow)])
      if (enable && disable) return yield* new Misused({ message: "Give --enable or --disable, not both." })
      const isEnabled = disable ? false : enable || percentage !== undefined || add.length > 0 ? true : undefined
      const allowList = { ...(add.length > 0 ? { add } : {}), ...(remove.length > 0 ? { remove } : {}) }
      const change = {
        ...(isEnabled === undefined ? {} : { isEnabled }),
        ...(percentage === undefined ? {} : { percentage }),
        ...(add.length + remove.length > 0 ? { allowList } : {}),
      }
      yield* changeFlags({ stage, change }, options.dryRun)
    }),
  ),
).pipe(
  Command.withDescription(
    "Say who should be at a stage, or beyond it. Raising a percentage never drops anybody who was in; lowering it takes people back at the next run. Nobody moves until pollen migrate start.",
  ),
  Command.withShortDescription("Say who should be at a stage"),
  Command.withExamples([
    { command: "pollen flags set live --allow ada,grace", description: "Two people, whatever the percentage" },
    { command: "pollen flags set live 10 --dry-run", description: "Whom a tenth would concern" },
    { command: "pollen flags set live 10", description: "A tenth of everybody" },
    { command: "pollen flags set live 0", description: "Back again, all but those who are allowed" },
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
    operate(options, changeFlags({ stage: null, change: { isHalted: options.state === "on" } }, options.dryRun)),
).pipe(
  Command.withDescription(
    "The kill switch: while it is on, no run takes anybody a step further, forward or back. Nothing that works stops working.",
  ),
  Command.withShortDescription("The kill switch: stop every step, or let them go on"),
  Command.withExamples([
    { command: "pollen flags halt on", description: "Stop at once" },
    { command: "pollen flags halt off", description: "Go on" },
  ]),
)

const denyCommand = Command.make(
  "deny",
  { ...operatorOptions, ...peopleOptions, remove: isGiven("remove", "Take them off the list instead"), dryRun },
  (options) =>
    operate(
      options,
      Effect.gen(function* () {
        const denied = yield* readPeople(options)
        if (denied === undefined) return yield* new Misused({ message: "Say whom to deny: one user id or more." })
        const denyList = options.remove ? { remove: denied } : { add: denied }
        yield* changeFlags({ stage: null, change: { denyList } }, options.dryRun)
      }),
    ),
).pipe(
  Command.withDescription("Keep people at off, or take them back there at the next run, whatever the percentages say."),
  Command.withShortDescription("Keep people at off whatever the percentages say"),
  Command.withExamples([
    { command: "pollen flags deny ada", description: "ada stays at off" },
    { command: "pollen flags deny ada --remove", description: "ada goes with everybody else again" },
  ]),
)

/** `pollen flags …` */
export const flagsCommand = Command.make("flags").pipe(
  Command.withDescription("Where everybody should be: percentages by stage, lists, and the kill switch."),
  Command.withSubcommands([listCommand, setCommand, haltCommand, denyCommand]),
)
