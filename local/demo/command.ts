import { Command } from "effect/cli"
import { startOptions } from "./options.ts"
import { start } from "./start.ts"

export const startCommand = Command.make("start", startOptions, start).pipe(
  Command.withDescription(
    "Start core, gateway, cron and migration workers, a database and a simulator of both providers on this machine, and deliver.",
  ),
  Command.withExamples([
    { command: "npm start", description: "Watch the main job, then try things; Ctrl-C stops it" },
    { command: "npm start --silent -- --once --json", description: "Only the figures, for a program" },
    { command: "npm start -- --users 100 --faults 20", description: "More people, and providers in a bad state" },
    { command: "npm start -- --legacy 20", description: "With people whose tokens D1 holds, to try the move" }, // legacy
    { command: "npm start -- --live", description: "With the real providers, or one of them" },
  ]),
)
