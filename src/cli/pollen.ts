import { Command } from "effect/cli"
import { auditCommand } from "./audit.ts"
import { contractCommand } from "./contract.ts"
import { exitCodes } from "./exit.ts"
import { exportCommand, openExportCommand } from "./export/command.ts"
import { flagsCommand } from "./flags/command.ts"
import { metricsCommand } from "./metrics.ts"
import { migrateCommand } from "./migrate/command.ts"
import { rehearseCommand } from "./rehearse/command.ts" // legacy
import { rollbackCommand } from "./rollback.ts"
import { startCommand } from "./start/command.ts"
import { userCommand } from "./user.ts"

/** Everything that a person can type. */
export const pollen = Command.make("pollen").pipe(
  Command.withDescription(`Every new episode and video of what people follow, delivered once.\n\n${exitCodes}`),
  Command.withSubcommands([
    startCommand,
    migrateCommand,
    flagsCommand,
    rollbackCommand,
    exportCommand,
    openExportCommand,
    userCommand,
    metricsCommand,
    auditCommand,
    contractCommand,
    rehearseCommand, // legacy
  ]),
)
