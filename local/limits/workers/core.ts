import {
  CronEntrypoint as LiveCron,
  GatewayEntrypoint as LiveGateway,
  MigrationEntrypoint as LiveMigration,
} from "../../../src/core/entrypoints.ts"
import type { CoreEnv } from "../../../src/core/env.ts"
import { type HubEnv, SourceHub as LiveHub } from "../../../src/hub/SourceHub.ts"
import { UserSubscriptionManager as LiveManager, type ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { limitBindings, limitFetch } from "./bindings.ts"
import { eachIsAnInvocation } from "./invocations.ts"

// The classes of the core worker, under Cloudflare's limits.

limitFetch()

export class UserSubscriptionManager extends LiveManager<ObjectEnv> {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    super(state, limitBindings(env))
  }
}

export class SourceHub extends LiveHub<HubEnv> {
  constructor(state: DurableObjectState, env: HubEnv) {
    super(state, limitBindings(env))
  }
}

export { ProviderBudget } from "../../../src/budget/ProviderBudget.ts"

export class GatewayEntrypoint extends LiveGateway {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, limitBindings(env))
  }
}

export class CronEntrypoint extends LiveCron {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, limitBindings(env))
  }
}

export class MigrationEntrypoint extends LiveMigration {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, limitBindings(env))
  }
}

for (const each of [UserSubscriptionManager, SourceHub, GatewayEntrypoint, CronEntrypoint, MigrationEntrypoint]) {
  eachIsAnInvocation(each)
}
