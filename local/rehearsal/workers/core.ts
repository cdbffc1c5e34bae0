import {
  CronEntrypoint as LiveCron,
  GatewayEntrypoint as LiveGateway,
  MigrationEntrypoint as LiveMigration,
  TokensEntrypoint as LiveTokens,
} from "../../../src/core/entrypoints.ts"
import type { CoreEnv } from "../../../src/core/env.ts"
import core from "../../../src/core/index.ts"
import { UserSubscriptionManager as LiveManager, type ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

// The core worker as it is deployed, but for the D1 binding of each of its classes.

export class UserSubscriptionManager extends LiveManager<ObjectEnv> {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    super(state, watched(env))
  }
}

export class GatewayEntrypoint extends LiveGateway {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class CronEntrypoint extends LiveCron {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class MigrationEntrypoint extends LiveMigration {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class TokensEntrypoint extends LiveTokens {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export default core
