import { Command } from "effect/cli"
import { bare, operatorCommands } from "../src/cli/pollen.ts"
import { startCommand } from "./demo/command.ts"
import { rehearseCommand } from "./rehearsal/command.ts" // legacy

/** `npm run pollen`: the commands of operators, and those that run the whole system on this machine. */
export const pollen = bare.pipe(
  Command.withSubcommands([
    startCommand,
    ...operatorCommands,
    rehearseCommand, // legacy
  ]),
)
