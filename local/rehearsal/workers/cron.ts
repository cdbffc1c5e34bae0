import type { CronEnv } from "../../../src/cron/env.ts"
import cron from "../../../src/cron/index.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

export default {
  scheduled: (controller, env) => cron.scheduled(controller, watched(env)),
} satisfies ExportedHandler<CronEnv>
