import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import { exitCodeOf, isForPerson } from "./exit.ts"
import { presenter, renderError } from "./presenter.ts"

/** Prints an error that a person can act on as its sentence, and any other whole: it is a defect of pollen. */
const explain = (cause: Cause.Cause<unknown>) =>
  Effect.sync(() => {
    const error = Cause.squash(cause)
    // The presenter has explained a command line that cannot be read.
    if (Cause.hasInterruptsOnly(cause) || CliError.isCliError(error)) return
    process.stderr.write(`${isForPerson(error) ? renderError(error.message) : Cause.pretty(cause)}\n`)
  })

const platform = Layer.mergeAll(
  NodeServices.layer,
  CliOutput.layerPresenter(presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] }),
)

/** Runs a command with the arguments of this process and ends the process with the command's exit code. */
export const run = <Name extends string, Input, Context, E>(
  command: Command.Command<Name, Input, Context, E, Command.Environment>,
): void =>
  command.pipe(
    Command.run({ version: "0.1.0" }),
    Effect.tapCause(explain),
    Effect.provide(platform),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : exitCodeOf(exit.cause)),
    }),
  )
