import { Command } from "effect/cli"
import { startOptions } from "./options.ts"
import { start } from "./start.ts"

export const startCommand = Command.make("start", startOptions, start).pipe(
  Command.withDescription(
    "Start core, gateway and cron workers, a database and a stand-in for the providers on this machine, and deliver.",
  ),
  Command.withExamples([
    { command: "pollen start", description: "Watch the main job, then try things; Ctrl-C stops it" },
    { command: "pollen start --once --json", description: "Only the figures, for a program" },
    { command: "pollen start --live", description: "With the real providers" },
  ]),
)
