import { Command } from "effect/cli"
import { prepareAndOperate } from "../operate/operate.ts"
import { dryRun, operatorOptions, whole } from "../operate/options.ts"
import { checkTable } from "./check.ts"
import { importTable } from "./importTable.ts"
import { mappingOption, readMapping } from "./mapping.ts"

// Commands for tables of another shape than pollen's own.

export const checkCommand = Command.make(
  "check",
  {
    ...operatorOptions,
    mapping: mappingOption,
    sample: whole("sample", 1, 5000, "Rows to read from the start of the table (default: 500)"),
  },
  (options) =>
    prepareAndOperate(options, readMapping(options.mapping), (mapping) => checkTable(mapping, options.sample)),
).pipe(
  Command.withDescription(
    "Read a sample of another table with a mapping. Shows how rows are understood, and which are not (exit code 4). Writes nothing and prints no token.",
  ),
  Command.withShortDescription("Check a mapping against rows of another table"),
  Command.withExamples([
    { command: "pollen migrate check --mapping mapping.json", description: "Check a mapping" },
    {
      command: "pollen migrate check --mapping mapping.json --sample 5000 --json",
      description: "List the rows that are not understood, for a program",
    },
  ]),
)

export const importCommand = Command.make("import", { ...operatorOptions, mapping: mappingOption, dryRun }, (options) =>
  prepareAndOperate(options, readMapping(options.mapping), (mapping) =>
    importTable(mapping, { dryRun: options.dryRun }),
  ),
).pipe(
  // The name that the command had before; help does not show it.
  Command.withAlias("intake"),
  Command.withDescription(
    "Import grants, what people follow or their feeds from another table into pollen's own, as the mapping says. What exists stays as it is, so it can be run again. The other table does not change. Import the grants last: from then on pollen polls.",
  ),
  Command.withShortDescription("Import what another table has"),
  Command.withExamples([
    { command: "pollen migrate import --mapping mapping.json --dry-run", description: "Show what would be imported" },
    { command: "pollen migrate import --mapping mapping.json", description: "Import it" },
  ]),
)
