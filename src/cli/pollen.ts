import { Command } from "effect/cli"
import { auditCommand } from "./audit.ts"
import { contractCommand } from "./contract.ts"
import { exitCodes } from "./exit.ts"
import { exportCommand, openExportCommand } from "./export/command.ts"
import { flagsCommand } from "./flags/command.ts"
import { metricsCommand } from "./metrics.ts"
import { migrateCommand } from "./migrate/command.ts"
import { endPausesCommand, redeliverCommand } from "./repair.ts"
import { rollbackCommand } from "./rollback.ts"
import { userCommand } from "./user.ts"

/** `pollen` without subcommands. */
export const bare = Command.make("pollen").pipe(
  Command.withDescription(`Deliver every new episode and video of what people follow, once.\n\n${exitCodes}`),
)

/** The commands of operators: each asks a migration worker, or reads a file that one wrote. */
export const operatorCommands = [
  migrateCommand,
  flagsCommand,
  rollbackCommand,
  exportCommand,
  openExportCommand,
  userCommand,
  endPausesCommand,
  redeliverCommand,
  metricsCommand,
  auditCommand,
  contractCommand,
] as const

/** `pollen` as it is installed: the commands of operators. A checkout has more in `local/pollen.ts`. */
export const pollen = bare.pipe(Command.withSubcommands(operatorCommands))
