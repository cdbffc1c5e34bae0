import type { MigrationEnv } from "../../../src/migration/env.ts"
import migration from "../../../src/migration/index.ts"
import { limitBindings } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"

export { MoveWorkflow } from "../../limits/workers/MoveWorkflow.ts"

/** The header of a request that stands for the Cron Trigger: nothing on this machine fires those. */
const trigger = "tend"

/** The migration worker as it is deployed, under Cloudflare's limits, whose Cron Trigger a request runs too. */
export default {
  scheduled: (controller, env) => invocation(() => migration.scheduled(controller, limitBindings(env))),
  fetch: (request, env) =>
    invocation(() =>
      request.headers.get("pollen-worker") === trigger
        ? migration
            .scheduled({ cron: "by hand", scheduledTime: Date.now(), noRetry: () => {} }, limitBindings(env))
            .then(
              () => Response.json({}),
              (error: unknown) => Response.json({ problem: String(error) }, { status: 500 }),
            )
        : migration.fetch(request, limitBindings(env)),
    ),
} satisfies ExportedHandler<MigrationEnv>
