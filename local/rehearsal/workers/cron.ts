import type { CronEnv } from "../../../src/cron/env.ts"
import cron from "../../../src/cron/index.ts"
import { limitBindings, limitFetch } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

limitFetch()

export default {
  scheduled: (controller, env) => invocation(() => cron.scheduled(controller, watched(limitBindings(env)))),
} satisfies ExportedHandler<CronEnv>
