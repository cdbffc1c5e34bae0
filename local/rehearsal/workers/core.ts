import { TokensEntrypoint as LiveTokens } from "../../../src/core/entrypoints.ts"
import type { CoreEnv } from "../../../src/core/env.ts"
import core from "../../../src/core/index.ts"
import type { ObjectEnv } from "../../../src/object/UserSubscriptionManager.ts"
import { limitBindings } from "../../limits/workers/bindings.ts"
import * as limited from "../../limits/workers/core.ts"
import { eachIsAnInvocation } from "../../limits/workers/invocations.ts"
import { watched } from "./statements.ts"

export { ProviderBudget, SourceHub } from "../../limits/workers/core.ts"
export { Statements } from "./statements.ts"

// The core worker as it is deployed, but for the bindings of each of its classes, and for Cloudflare's limits.

export class UserSubscriptionManager extends limited.UserSubscriptionManager {
  constructor(state: DurableObjectState, env: ObjectEnv) {
    super(state, watched(env))
  }
}

export class GatewayEntrypoint extends limited.GatewayEntrypoint {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class CronEntrypoint extends limited.CronEntrypoint {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class MigrationEntrypoint extends limited.MigrationEntrypoint {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(env))
  }
}

export class TokensEntrypoint extends LiveTokens {
  constructor(context: ExecutionContext, env: CoreEnv) {
    super(context, watched(limitBindings(env)))
  }
}

eachIsAnInvocation(TokensEntrypoint)

export default core
