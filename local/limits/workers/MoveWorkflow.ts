import type { WorkflowEvent, WorkflowStep } from "cloudflare:workers"
import type { MigrationEnv, MoveParameters } from "../../../src/migration/env.ts"
import { MoveWorkflow as LiveWorkflow } from "../../../src/migration/index.ts"
import { limitBindings } from "./bindings.ts"
import { instance } from "./instances.ts"

/** The Workflow, under Cloudflare's limits on an instance. */
export class MoveWorkflow extends LiveWorkflow {
  constructor(context: ExecutionContext, env: MigrationEnv) {
    super(context, limitBindings(env))
  }

  override run(event: Readonly<WorkflowEvent<MoveParameters>>, step: WorkflowStep): Promise<void> {
    return instance(event.instanceId, step, (limited) => super.run(event, limited))
  }
}
