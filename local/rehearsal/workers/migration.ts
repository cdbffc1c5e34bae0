import type { MigrationEnv } from "../../../src/migration/env.ts"
import migration from "../../../src/migration/index.ts"
import { limitBindings } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"
import * as limited from "../../limits/workers/MoveWorkflow.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

export class MoveWorkflow extends limited.MoveWorkflow {
  constructor(context: ExecutionContext, env: MigrationEnv) {
    super(context, watched(env))
  }
}

export default {
  fetch: (request, env) => invocation(() => migration.fetch(request, watched(limitBindings(env)))),
  scheduled: (controller, env) => invocation(() => migration.scheduled(controller, watched(limitBindings(env)))),
} satisfies ExportedHandler<MigrationEnv>
