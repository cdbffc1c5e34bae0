import { Effect, Layer } from "effect"
import type { MigrationEnv } from "./env.ts"
import { Flags } from "./Flags.ts"
import { type ControlError, RunControl } from "./run/RunControl.ts"
import { stepServices } from "./run/stepServices.ts"

/** The cron trigger of the migration worker: puts in order what runs have left behind. While all is well it costs three statements. */
export const tend = (env: MigrationEnv): Effect.Effect<void, ControlError> =>
  Effect.flatMap(RunControl, (control) => control.tend).pipe(
    Effect.provide(RunControl.layer(env).pipe(Layer.provideMerge(Flags.layer), Layer.provideMerge(stepServices(env)))),
  )
