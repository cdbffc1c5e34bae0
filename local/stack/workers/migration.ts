import type { MigrationEnv } from "../../../src/migration/env.ts"
import migration from "../../../src/migration/index.ts"

export { MoveWorkflow } from "../../../src/migration/index.ts"

/** The header of a request that stands for the Cron Trigger: nothing on this machine fires those. */
const trigger = "tend"

/** The migration worker as it is deployed, whose Cron Trigger a request runs too. */
export default {
  scheduled: migration.scheduled,
  fetch: (request, env) =>
    request.headers.get("pollen-worker") === trigger
      ? migration.scheduled({ cron: "by hand", scheduledTime: Date.now(), noRetry: () => {} }, env).then(
          () => Response.json({}),
          (error: unknown) => Response.json({ problem: String(error) }, { status: 500 }),
        )
      : migration.fetch(request, env),
} satisfies ExportedHandler<MigrationEnv>
