import { Effect } from "effect"

/** Runs cron again and again until the scope closes, as its trigger does where it is deployed. */
export const runCronEvery = (seconds: number, run: Effect.Effect<unknown>) =>
  // A run that fails says so in the workers' log, and the next one does what it has not done.
  Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignoreCause(run), `${seconds} seconds`)))
