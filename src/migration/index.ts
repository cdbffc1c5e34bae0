import type { MigrationEnv } from "./env.ts"
import { type Migration, makeMigration } from "./makeMigration.ts"

export { MoveWorkflow } from "./run/MoveWorkflow.ts"

let migration: Migration | undefined

export default {
  fetch: (request, env) => {
    // Bindings stay the same for the life of an isolate, so the routes are built once.
    migration ??= makeMigration(env)
    return migration(request)
  },
} satisfies ExportedHandler<MigrationEnv>
