import { Effect, Exit, Layer } from "effect"
import type { DatabaseUnavailable, Misconfigured } from "../domain/error.ts"
import { CronSettings } from "./CronSettings.ts"
import type { CronEnv } from "./env.ts"
import { pollLegacy } from "./legacy.ts" // legacy
import { Metrics } from "./Metrics.ts"
import { Overdue } from "./Overdue.ts"
import { Waker } from "./Waker.ts"
import { wakeOverdue } from "./wakeOverdue.ts"

type Services = CronSettings | Metrics | Overdue | Waker

type Duty = (env: CronEnv) => Effect.Effect<unknown, DatabaseUnavailable | Misconfigured, Services>

/** What cron does every 30 minutes, side by side: one that fails does not keep another from its work. By the kind of their figures. */
const duties: Readonly<Record<string, Duty>> = {
  cron_run: () => wakeOverdue(),
  legacy_run: pollLegacy, // legacy
}

const services = (env: CronEnv): Layer.Layer<Services, Misconfigured> => {
  const metrics = Layer.unwrap(
    Effect.map(CronSettings, ({ metricsRetentionMs }) => Metrics.layer(env.DB, metricsRetentionMs)),
  )
  return Layer.mergeAll(
    metrics,
    Overdue.layer(env.DB),
    Waker.layer((payload) => env.CORE.wake(payload)),
  ).pipe(Layer.provideMerge(CronSettings.layer(env)))
}

/** One run of cron. Returns the figures of its duties. Fails, when everything is done, with whatever a duty failed with. */
export const runCron = Effect.fn("runCron")(function* (env: CronEnv) {
  const exits = yield* Effect.forEach(
    Object.entries(duties),
    ([kind, duty]) => Effect.exit(Effect.map(duty(env), (figures) => [kind, figures] as const)),
    { concurrency: "unbounded" },
  ).pipe(Effect.provide(services(env)))
  yield* Exit.asVoidAll(exits)
  return Object.fromEntries(exits.flatMap((exit) => (Exit.isSuccess(exit) ? [exit.value] : [])))
})
