import type { MigrationEnv } from "../../../src/migration/env.ts"
import migration, { MoveWorkflow as LiveWorkflow } from "../../../src/migration/index.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

export class MoveWorkflow extends LiveWorkflow {
  constructor(context: ExecutionContext, env: MigrationEnv) {
    super(context, watched(env))
  }
}

export default {
  fetch: (request, env) => migration.fetch(request, watched(env)),
  scheduled: (controller, env) => migration.scheduled(controller, watched(env)),
} satisfies ExportedHandler<MigrationEnv>
