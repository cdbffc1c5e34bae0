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

/** What cron does every 30 minutes, side by side: one that fails does not keep another from its work. */
const duties: ReadonlyArray<Duty> = [
  () => wakeOverdue(),
  pollLegacy, // legacy
]

const services = (env: CronEnv): Layer.Layer<Services, Misconfigured> =>
  Layer.mergeAll(
    CronSettings.layer(env),
    Metrics.layer(env.DB),
    Overdue.layer(env.DB),
    Waker.layer((payload) => env.CORE.wake(payload)),
  )

/** One run of cron. Fails, when everything is done, with whatever a duty failed with. */
export const runCron = (env: CronEnv): Effect.Effect<void, DatabaseUnavailable | Misconfigured> =>
  Effect.forEach(duties, (duty) => Effect.exit(duty(env)), { concurrency: "unbounded" }).pipe(
    Effect.flatMap(Exit.asVoidAll),
    Effect.provide(services(env)),
  )
