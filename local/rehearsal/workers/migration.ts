import type { WorkflowEvent, WorkflowStep } from "cloudflare:workers"
import type { MigrationEnv, MoveParameters } from "../../../src/migration/env.ts"
import migration, { MoveWorkflow as LiveWorkflow } from "../../../src/migration/index.ts"
import { limitBindings } from "../../limits/workers/bindings.ts"
import { instance } from "../../limits/workers/instances.ts"
import { invocation } from "../../limits/workers/invocations.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

export class MoveWorkflow extends LiveWorkflow {
  constructor(context: ExecutionContext, env: MigrationEnv) {
    super(context, watched(limitBindings(env)))
  }

  override run(event: Readonly<WorkflowEvent<MoveParameters>>, step: WorkflowStep): Promise<void> {
    return instance(event.instanceId, step, (limited) => super.run(event, limited))
  }
}

export default {
  fetch: (request, env) => invocation(() => migration.fetch(request, watched(limitBindings(env)))),
  scheduled: (controller, env) => invocation(() => migration.scheduled(controller, watched(limitBindings(env)))),
} satisfies ExportedHandler<MigrationEnv>
