import { Effect } from "effect"
import type { CronEnv } from "../../../src/cron/env.ts"
import cron from "../../../src/cron/index.ts"
import { runCron } from "../../../src/cron/runCron.ts"

/** The cron worker as it is deployed, which a request runs too, for its figures: nothing on this machine fires Cron Triggers. */
export default {
  scheduled: cron.scheduled,
  fetch: (_request, env) =>
    Effect.runPromise(runCron(env)).then(Response.json, (error: unknown) =>
      Response.json({ problem: String(error) }, { status: 500 }),
    ),
} satisfies ExportedHandler<CronEnv>
