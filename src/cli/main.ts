import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { auditCommand } from "./audit.ts"
import { contractCommand } from "./contract.ts"
import { exitCodeOf, exitCodes, isForPerson } from "./exit.ts"
import { exportCommand, openExportCommand } from "./export/command.ts"
import { flagsCommand } from "./flags/command.ts"
import { metricsCommand } from "./metrics.ts"
import { migrateCommand } from "./migrate/command.ts"
import { presenter } from "./presenter.ts"
import { rollbackCommand } from "./rollback.ts"
import { startCommand } from "./start/command.ts"
import { userCommand } from "./user.ts"

// What wrangler would say to its own users is of no interest here.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
})

const pollen = Command.make("pollen").pipe(
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
  ]),
)

/** What a person can act on is one sentence; anything else is a mistake of pollen's own and is shown whole. */
const explain = (cause: Cause.Cause<unknown>) =>
  Effect.sync(() => {
    const error = Cause.squash(cause)
    // A command line that cannot be read has been explained before this.
    if (Cause.hasInterruptsOnly(cause) || CliError.isCliError(error)) return
    process.stderr.write(`${isForPerson(error) ? error.message : Cause.pretty(cause)}\n`)
  })

const platform = Layer.mergeAll(
  NodeServices.layer,
  CliOutput.layerPresenter(presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
)

pollen.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapCause(explain),
  Effect.provide(platform),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    // Ctrl-C is how a person ends what goes on, and no failure.
    teardown: (exit, onExit) =>
      onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : exitCodeOf(Cause.squash(exit.cause))),
  }),
)
