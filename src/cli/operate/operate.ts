import { Effect, Layer } from "effect"
import { Display } from "../Display.ts"
import type { CommandError } from "../exit.ts"
import { MigrationWorker } from "./MigrationWorker.ts"
import { Outcome } from "./Outcome.ts"
import type { OperatorOptions } from "./options.ts"
import { findWorkerEndpoint } from "./workerEndpoint.ts"

/** Runs a command that asks no worker. */
export const operateHere = <A>(
  { json }: Pick<OperatorOptions, "json">,
  command: Effect.Effect<A, CommandError, Outcome | Display>,
): Effect.Effect<void, CommandError> => {
  const output = Outcome.layer(json).pipe(Layer.provideMerge(Display.layer(json ? process.stderr : process.stdout)))
  return command.pipe(
    Effect.tapError((error) => Effect.flatMap(Outcome, ({ tellError }) => tellError(error))),
    Effect.provide(output),
    Effect.asVoid,
  )
}

/** Runs what an operator typed, with what every such command needs. */
export const operate = <A>(
  options: OperatorOptions,
  command: Effect.Effect<A, CommandError, MigrationWorker | Outcome | Display>,
): Effect.Effect<void, CommandError> => {
  const worker = Layer.unwrap(Effect.map(findWorkerEndpoint(options), MigrationWorker.layer))
  return operateHere(options, Effect.provide(command, worker))
}
