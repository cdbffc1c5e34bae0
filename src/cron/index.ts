import { Effect } from "effect"
import type { CronEnv } from "./env.ts"
import { runCron } from "./runCron.ts"

export default {
  scheduled: (_controller, env) => Effect.runPromise(Effect.asVoid(runCron(env))),
} satisfies ExportedHandler<CronEnv>
