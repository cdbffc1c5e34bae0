import { Command } from "effect/cli"
import { operate } from "../operate/operate.ts"
import { dryRun, operatorOptions, whole } from "../operate/options.ts"
import { checkTable } from "./check.ts"
import { takeIn } from "./intake.ts"
import { mappingOption } from "./mapping.ts"

// Where the grants are in a table of another shape than pollen's own.

export const checkCommand = Command.make(
  "check",
  {
    ...operatorOptions,
    mapping: mappingOption,
    sample: whole("sample", 1, 5000, "Rows to read, from the start of the table (500 unless told)"),
  },
  (options) => operate(options, checkTable(options.mapping, options.sample)),
).pipe(
  Command.withDescription(
    "Read a sample of an old table by a declared mapping, and say what is understood and which rows are not (exit code 4). Writes nothing and shows no token.",
  ),
  Command.withShortDescription("Read a sample of an old table by a declared mapping"),
  Command.withExamples([
    { command: "pollen migrate check --mapping mapping.json", description: "Is the mapping right?" },
    {
      command: "pollen migrate check --mapping mapping.json --sample 5000 --json",
      description: "Every row that is not understood, for a program",
    },
  ]),
)

export const intakeCommand = Command.make("intake", { ...operatorOptions, mapping: mappingOption, dryRun }, (options) =>
  operate(options, takeIn(options.mapping, options.dryRun)),
).pipe(
  Command.withDescription(
    "Take the grants of an old table into pollen's own, by a declared mapping. Accounts that are there already stay as they are, so it may be run again. The old table is not changed.",
  ),
  Command.withShortDescription("Take the grants of an old table into pollen's own"),
  Command.withExamples([
    { command: "pollen migrate intake --mapping mapping.json --dry-run", description: "What would be taken in" },
    { command: "pollen migrate intake --mapping mapping.json", description: "Take it in" },
  ]),
)
