import { Effect } from "effect"
import type { CronEnv } from "../../../src/cron/env.ts"
import cron from "../../../src/cron/index.ts"
import { runCron } from "../../../src/cron/runCron.ts"
import { limitBindings, limitFetch } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"

limitFetch()

/** The cron worker as it is deployed, under Cloudflare's limits, which a request runs too, for its figures: nothing on this machine fires Cron Triggers. */
export default {
  scheduled: (controller, env) => invocation(() => cron.scheduled(controller, limitBindings(env))),
  fetch: (_request, env) =>
    invocation(() => Effect.runPromise(runCron(limitBindings(env)))).then(Response.json, (error: unknown) =>
      Response.json({ problem: String(error) }, { status: 500 }),
    ),
} satisfies ExportedHandler<CronEnv>
