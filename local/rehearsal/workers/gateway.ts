import type { GatewayEnv } from "../../../src/gateway/env.ts"
import gateway from "../../../src/gateway/index.ts"
import { limitBindings, limitFetch } from "../../limits/workers/bindings.ts"
import { invocation } from "../../limits/workers/invocations.ts"
import { watched } from "./statements.ts"

export { Statements } from "./statements.ts"

limitFetch()

export default {
  fetch: (request, env, context) => invocation(() => gateway.fetch(request, watched(limitBindings(env)), context)),
} satisfies ExportedHandler<GatewayEnv>
