import { Command } from "effect/cli"
import { rehearsalOptions } from "./options.ts"
import { rehearse } from "./rehearse.ts"

export const rehearseCommand = Command.make("rehearse", rehearsalOptions, rehearse).pipe(
  Command.withDescription(
    "Rehearse the whole move on this machine: the legacy poller at work, every stage forward and back, a kill in the middle, and a verdict. The exit code is 1 if a promise is broken.",
  ),
  Command.withExamples([
    { command: "pollen rehearse", description: "1,000 people, some minutes" },
    { command: "pollen rehearse --users 300 --faults 20", description: "Fewer people, worse providers" },
    { command: "pollen rehearse --json", description: "Only the figures, for a program" },
  ]),
)
