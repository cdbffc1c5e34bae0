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

/** Reads and checks a command line with `prepare`, then finds the worker and runs `command` with what was read. */
export const prepareAndOperate = <Prepared, A>(
  options: OperatorOptions,
  prepare: Effect.Effect<Prepared, CommandError>,
  command: (prepared: Prepared) => Effect.Effect<A, CommandError, MigrationWorker | Outcome | Display>,
): Effect.Effect<void, CommandError> => {
  const worker = Layer.unwrap(Effect.map(findWorkerEndpoint(options), MigrationWorker.layer))
  return operateHere(
    options,
    Effect.flatMap(prepare, (prepared) => Effect.provide(command(prepared), worker)),
  )
}

/** Finds the worker and runs a command that asks it. */
export const operate = <A>(
  options: OperatorOptions,
  command: Effect.Effect<A, CommandError, MigrationWorker | Outcome | Display>,
): Effect.Effect<void, CommandError> => prepareAndOperate(options, Effect.void, () => command)
