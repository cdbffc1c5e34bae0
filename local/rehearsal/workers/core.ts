import {
  CronEntrypoint as LiveCron,
  GatewayEntrypoint as LiveGateway,
  MigrationEntrypoint as LiveMigration,
  TokensEntrypoint as LiveTokens,
} from "../../../src/core/entrypoints.ts"
import type { CoreEnv } from "../../../src/core/env.ts"
import core from "../../../src/core/index.ts"
import { UserSubscriptionManager as LiveManager, type ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { limitBindings, limitFetch } from "../../limits/workers/bindings.ts"
import { eachIsAnInvocation } from "../../limits/workers/invocations.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

// The core worker as it is deployed, but for the bindings of each of its classes, and for Cloudflare's limits.

limitFetch()

export class UserSubscriptionManager extends LiveManager<ObjectEnv> {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    super(state, watched(limitBindings(env)))
  }
}

export class GatewayEntrypoint extends LiveGateway {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(limitBindings(env)))
  }
}

export class CronEntrypoint extends LiveCron {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(limitBindings(env)))
  }
}

export class MigrationEntrypoint extends LiveMigration {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(limitBindings(env)))
  }
}

export class TokensEntrypoint extends LiveTokens {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(limitBindings(env)))
  }
}

for (const each of [
  UserSubscriptionManager,
  GatewayEntrypoint,
  CronEntrypoint,
  MigrationEntrypoint,
  TokensEntrypoint,
]) {
  eachIsAnInvocation(each)
}

export default core
