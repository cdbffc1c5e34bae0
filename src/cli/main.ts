import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { exitCodeOf, isForPerson } from "./exit.ts"
import { pollen } from "./pollen.ts"
import { presenter } from "./presenter.ts"

// What wrangler would say to its own users is of no interest here.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
})

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
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : exitCodeOf(exit.cause)),
  }),
)
