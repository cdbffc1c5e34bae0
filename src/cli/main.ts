import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Cause, Effect, Exit } from "effect"
import { CliError, Command } from "effect/cli"
import { startCommand } from "./start/command.ts"

// What wrangler would say to its own users is of no interest here.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
})

const pollen = Command.make("pollen").pipe(
  Command.withDescription("Every new episode and video of what people follow, delivered once."),
  Command.withSubcommands([startCommand]),
)

const isTagged = (error: unknown, ...tags: ReadonlyArray<string>): error is Error =>
  error instanceof Error && "_tag" in error && tags.includes(String(error._tag))

/** What a person can act on is one sentence; anything else is a mistake of pollen's own and is shown whole. */
const explain = (cause: Cause.Cause<unknown>) =>
  Effect.sync(() => {
    const error = Cause.squash(cause)
    // A command line that cannot be read has been explained, with the help, before this.
    if (Cause.hasInterruptsOnly(cause) || CliError.isCliError(error)) return
    const isExpected = isTagged(error, "CannotStart", "PromiseBroken", "GatewayRefused")
    process.stderr.write(`${isExpected ? error.message : Cause.pretty(cause)}\n`)
  })

pollen.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapCause(explain),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    // Ctrl-C is how a person ends it, and no failure.
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause) ? 0 : 1),
  }),
)
