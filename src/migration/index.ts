import { Effect } from "effect"
import type { MigrationEnv } from "./env.ts"
import { type Migration, makeMigration } from "./makeMigration.ts"
import { tend } from "./tend.ts"

export { MoveWorkflow } from "./run/MoveWorkflow.ts"

let migration: Migration | undefined

export default {
  fetch: (request, env) => {
    // Bindings stay the same for the life of an isolate, so the routes are built once.
    migration ??= makeMigration(env)
    return migration(request)
  },
  scheduled: (_controller, env) => Effect.runPromise(tend(env)),
} satisfies ExportedHandler<MigrationEnv>
