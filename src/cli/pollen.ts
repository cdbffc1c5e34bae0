import { Command } from "effect/cli"
import { auditCommand } from "./audit.ts"
import { contractCommand } from "./contract.ts"
import { exitCodes } from "./exit.ts"
import { exportCommand, openExportCommand } from "./export/command.ts"
import { flagsCommand } from "./flags/command.ts"
import { metricsCommand } from "./metrics.ts"
import { migrateCommand } from "./migrate/command.ts"
import { rollbackCommand } from "./rollback.ts"
import { userCommand } from "./user.ts"

/** `pollen` without subcommands. */
export const bare = Command.make("pollen").pipe(
  Command.withDescription(`Every new episode and video of what people follow, delivered once.\n\n${exitCodes}`),
)

/** The commands of operators: each asks a migration worker, or reads a file that one has written. */
export const operatorCommands = [
  migrateCommand,
  flagsCommand,
  rollbackCommand,
  exportCommand,
  openExportCommand,
  userCommand,
  metricsCommand,
  auditCommand,
  contractCommand,
] as const

/** `pollen` as it is installed: the commands of operators. In a checkout, `local/pollen.ts` has more. */
export const pollen = bare.pipe(Command.withSubcommands(operatorCommands))
